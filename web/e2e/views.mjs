// Every view, light and dark: it shows what is there, nothing serious is
// wrong with it for anybody, and its picture is taken where a folder for that is named.
import { accessible, assert, facts, flow, shoot, wear } from "./lib.mjs";

const views = [
  ["Agents", "frontend"],
  ["Jobs", "Crossed so far"],
  ["Approvals", "Edit README"],
  ["Projects", "frontend"],
  ["Dashboard", "Federation"],
  ["Audit", "Chain intact"],
  ["Settings", "Paired machines"],
];

/** A word leaves those in sight whom it fits; where that is nobody, the way back is a click. */
async function sieve(page) {
  const filter = page.getByRole("searchbox", { name: "Filter agents" });
  await filter.fill("FRONT");
  await page.getByRole("link", { name: "planner", exact: true }).waitFor({ state: "detached" });
  await filter.fill("nobody at all");
  await page.getByRole("button", { name: "Show all" }).click();
  await page.getByRole("link", { name: "planner", exact: true }).waitFor();
}

await flow(async (open) => {
  const page = await open(facts.url);
  await page.getByRole("navigation", { name: "Main" }).waitFor();
  assert.equal(new URL(page.url()).hash, "", "the code stays in the address");
  for (const theme of ["light", "dark"]) {
    await wear(page, theme);
    for (const [name, text] of views) {
      await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name }).click();
      await page.locator("main").getByText(new RegExp(text)).first().waitFor();
      await accessible(page, `${name}, ${theme}`);
      if (name !== "Dashboard") await shoot(page, `${name.toLowerCase()}-${theme}`); // a day's work is in dashboard-long.mjs
    }
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: "Find or do" }).waitFor();
    await accessible(page, `Palette, ${theme}`);
    await shoot(page, `palette-${theme}`);
    await page.keyboard.press("Escape");
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
    await accessible(page, `Keyboard, ${theme}`);
    await page.keyboard.press("Escape");
    await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Agents" }).click();
    await page.getByRole("button", { name: "List" }).click();
    await page.getByRole("link", { name: "backend on vps" }).waitFor();
    if (theme === "dark") await sieve(page);
    await page.getByRole("link", { name: "frontend", exact: true }).click();
    await page.getByRole("log", { name: "Conversation" }).waitFor();
    await accessible(page, `Agent, ${theme}`);
    await shoot(page, `agent-${theme}`);
    await page.getByRole("button", { name: "Tree" }).click();
  }
  for (const [at, text] of [["/agents/nobody", "Nobody is called nobody here"], ["/settings/constructor", "Paired machines"], ["/nowhere", "There is no such page"]]) {
    await page.goto(new URL(at, page.url()).href);
    await page.getByText(text).first().waitFor();
  }
});
