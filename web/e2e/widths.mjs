// Every view and what lies over it, on a phone of 360 px and at 3840: nothing stands out at the sides, no
// control is cut off, and on a phone every view is reached by the bar at the foot.
import { accessible, facts, fits, flow, go, shoot } from "./lib.mjs";

const views = {
  Agents: /frontend/,
  Jobs: /test/,
  Approvals: /Edit README/,
  Projects: /frontend/,
  Dashboard: /Federation/,
  Audit: /Chain intact/,
  Settings: /Paired machines/,
};

await flow(async (open) => {
  const page = await open(facts.url);
  await page.getByRole("navigation", { name: "Main" }).waitFor();
  const main = page.locator("main");
  for (const [width, height] of [[360, 740], [3840, 2160]]) {
    const phone = width < 760;
    const at = (what) => `${what} at ${width} px`;
    await page.setViewportSize({ width, height });
    for (const [name, text] of Object.entries(views)) {
      await go(page, name);
      await main.getByText(text).filter({ visible: true }).first().waitFor();
      await fits(page, at(name));
      await shoot(page, `${name.toLowerCase()}-${width}`);
    }
    if (phone) {
      await page.getByRole("navigation", { name: "Main" }).getByRole("button", { name: "More" }).click();
      await page.locator("#more").getByRole("link", { name: "Settings" }).waitFor();
      await fits(page, at("More"));
      await accessible(page, at("More"));
      await shoot(page, "more-360");
      await page.keyboard.press("Escape");
    }

    await go(page, "Jobs");
    await main.getByRole("link", { name: /test/ }).first().click();
    await page.getByRole("log", { name: "Timeline" }).waitFor();
    await fits(page, at("A job"));
    await shoot(page, `job-${width}`);
    await go(page, "Approvals");
    await main.getByRole("button", { name: /Edit README/ }).first().click();
    await main.getByRole("article").first().waitFor();
    await fits(page, at("A question"));
    await shoot(page, `question-${width}`);

    await go(page, "Agents");
    await main.getByRole("button", { name: "List" }).click();
    await main.getByRole("link", { name: "frontend", exact: true }).click();
    for (const tab of ["Chat", "Config", "Monitor", "Files", "Federation"]) {
      await page.getByRole("tab", { name: tab }).click();
      await page.getByRole("tabpanel").waitFor();
      await fits(page, at("The panel's " + tab));
    }
    await page.getByRole("button", { name: "Send message" }).click();
    await page.getByRole("dialog").waitFor();
    await fits(page, at("A message to a peer"));
    await page.keyboard.press("Escape");
    await page.getByRole("tab", { name: "Chat" }).click();
    await shoot(page, `panel-${width}`);
    await page.getByRole("button", { name: "Close the panel" }).click();
    await main.getByRole("link", { name: "backend on vps" }).click();
    await page.getByRole("region", { name: "backend on vps" }).waitFor();
    await fits(page, at("A peer's agent"));
    await page.getByRole("button", { name: "Close the panel" }).click();
    await main.getByRole("button", { name: "Tree" }).click();

    await page.keyboard.press("n");
    const wizard = page.getByRole("dialog", { name: "Spawn an agent" });
    await wizard.getByRole("radio", { name: "Ambassador" }).first().click();
    await wizard.getByText("Model, mode, team, rules").click();
    await wizard.getByRole("button", { name: "Add a rule" }).click();
    await wizard.getByRole("article", { name: "Contract for vps" }).waitFor();
    await fits(page, at("The spawn dialog"));
    await shoot(page, `spawn-${width}`);
    await page.keyboard.press("Escape");
    await page.keyboard.press("p");
    const pairing = page.getByRole("dialog", { name: "Pair a machine" });
    for (const way of ["Make an invite", "Use an invite", "Compare five words"]) {
      await pairing.getByRole("button", { name: way }).click();
      await fits(page, at(way));
    }
    await shoot(page, `pairing-${width}`);
    await page.keyboard.press("Escape");
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
    await fits(page, at("The keys"));
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: "Find or do" }).waitFor();
    await fits(page, at("The palette"));
    await page.keyboard.press("Escape");
  }
});
