// A job's timeline: who wrote what to whom, receipts with the times of their steps, questions where
// they were asked. It is extended, paused, resumed, closed, found by what was said in it, exported.
import { readFile } from "node:fs/promises";
import { accessible, assert, facts, flow, shoot, wear } from "./lib.mjs";

await flow(async (open) => {
  const page = await open(facts.url, { acceptDownloads: true });
  await page.getByRole("navigation", { name: "Main" }).waitFor();
  await page.keyboard.press("g");
  await page.keyboard.press("j");
  const list = page.getByRole("region", { name: "Jobs" });
  const line = page.getByRole("log", { name: "Timeline" });
  const side = page.getByRole("complementary", { name: "How it stands" });
  await list.getByRole("region", { name: "Needs you" }).getByRole("link", { name: /Nightly e2e/ }).waitFor();
  await list.getByRole("region", { name: "Closed" }).getByRole("link", { name: /Auth headers/ }).waitFor();
  await list.getByRole("link", { name: /Invoices/ }).click();

  // Both sides, in their lanes; hostile text is text.
  const ask = line.getByRole("article", { name: "user to backend" });
  await ask.getByText("We read GET /v2/invoices").waitFor();
  await line.getByText(/You proposed the contract to vps at/).waitFor();
  await line.getByText(/vps allowed it: the job opened at/).waitFor();
  const reply = line.getByRole("article", { name: "backend to user" });
  await reply.getByText(/echo We read/).waitFor();
  for (const message of [ask, reply]) assert.equal(await message.locator("img, script, a").count(), 0);
  assert.notEqual(await page.title(), "bad");

  // The receipt opens to its steps with times.
  await ask.getByRole("button", { name: /Receipt: answered/ }).click();
  const steps = ask.getByRole("list", { name: "Steps" });
  await steps.getByText("delivered", { exact: true }).waitFor();
  assert.equal(await steps.locator("time").count(), 5, await steps.innerText());
  await side.getByText(/^after \d/).first().waitFor();
  await side.getByText(/frontend here, and you, may write to backend at vps/).waitFor();
  for (const theme of ["light", "dark"]) {
    await wear(page, theme);
    await accessible(page, `Jobs, ${theme}`);
    await shoot(page, `jobs-view-${theme}`);
  }

  // A question is answered where it was asked, and stays in the timeline as decided.
  await line.getByRole("button", { name: /Approve/ }).click();
  await line.getByText(/^Approved at/).waitFor();
  await line.getByRole("article", { name: "user to frontend" }).getByText("please allow this one").waitFor();

  // A later end, a pause.
  await side.getByRole("button", { name: "Extend" }).click();
  await page.getByRole("menuitem", { name: "To 8 h from now" }).click();
  await side.getByText(/^7:5\d h$|^8:00 h$/).waitFor();
  await side.getByRole("button", { name: "Pause" }).click();
  await side.getByRole("button", { name: "Resume" }).waitFor();
  await line.getByText(/^Paused: user at/).waitFor();
  await side.getByRole("button", { name: "Resume" }).click();
  await line.getByText(/^Resumed at/).waitFor();

  // Search is the daemon's: by what was said, and by filters.
  const search = list.getByRole("searchbox", { name: "Search jobs" });
  await search.fill("NEEDLE in the");
  await list.getByRole("link", { name: /Invoices/ }).waitFor({ state: "detached" });
  await list.getByRole("link", { name: /Auth headers/ }).waitFor();
  await search.fill("nothing like it");
  await list.getByText("No job fits.").waitFor();
  await search.fill("");
  await list.getByRole("button", { name: "Filter jobs" }).click();
  await list.getByRole("combobox", { name: "State" }).selectOption("closed");
  await list.getByRole("link", { name: /Invoices/ }).waitFor({ state: "detached" });
  await list.getByRole("link", { name: /Auth headers/ }).click();
  await side.getByText("Somebody closed it").waitFor();
  await side.getByRole("button", { name: "Open anew" }).waitFor();
  await list.getByRole("combobox", { name: "State" }).selectOption("");

  // The record as a file.
  for (const [item, format] of [[/Markdown/, "md"], [/JSON/, "json"]]) {
    await page.getByRole("button", { name: "Export" }).click();
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("menuitem", { name: item }).click()]);
    assert.match(file.suggestedFilename(), new RegExp(`^groove-job-[a-z2-7]{8}\\.${format}$`));
    const text = await readFile(await file.path(), "utf8");
    if (format === "md") assert.match(text, /^# Job `Auth headers`[^]*is the needle in the header\?[^]*job\.close/);
    else assert.equal(JSON.parse(text).messages.length, 2);
  }

  // The end names what it ends.
  await list.getByRole("link", { name: /Invoices/ }).click();
  await side.getByRole("button", { name: "Close" }).click();
  const dialog = page.getByRole("dialog", { name: /Close .*Invoices/ });
  await dialog.getByRole("button", { name: "Close the job" }).click();
  await line.getByText(/^Closed: somebody closed it at/).waitFor();
  await list.getByRole("region", { name: "Closed" }).getByRole("link", { name: /Invoices/ }).waitFor();

  // A phone.
  await page.setViewportSize({ width: 390, height: 800 });
  await line.getByText("We read GET /v2/invoices").first().waitFor();
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 390, "wider than a phone");
  await wear(page, "light");
  await shoot(page, "jobs-phone");
  await page.getByRole("button", { name: "Contract" }).click();
  await page.getByText(/may write to backend at vps/).first().waitFor();
  await accessible(page, "Jobs on a phone");
  await page.getByRole("button", { name: "All jobs" }).click();
  await list.getByRole("link", { name: /Nightly/ }).waitFor();
});
