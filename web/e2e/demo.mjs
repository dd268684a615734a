// First run: the paired demo starts from the page, opens in tabs of its own, shows both sides of
// the same talk, and ends.
import { accessible, ask, assert, facts, flow, shoot } from "./lib.mjs";

await flow(async (open) => {
  const page = await open(facts.url);
  const demo = page.getByRole("region", { name: "Demo" });
  await demo.getByRole("button", { name: "Start the paired demo" }).focus();
  await page.keyboard.press("Enter");
  await demo.getByText("Two daemons run beside this one").waitFor({ timeout: 60_000 });
  await accessible(page, "a demo that runs");
  await shoot(page, "first-run-demo");
  const texts = [];
  for (const name of ["laptop", "vps"]) {
    const opened = page.context().waitForEvent("page");
    await demo.getByRole("button", { name: `Look at ${name}` }).click();
    const tab = await opened;
    tab.setDefaultTimeout(30_000);
    await tab.getByRole("navigation", { name: "Main" }).waitFor();
    assert.notEqual(new URL(tab.url()).port, new URL(facts.url).port, "the demo's daemon has a port of its own");
    await tab.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Jobs" }).click();
    await tab.getByText("A todo list").first().waitFor();
    await tab.locator("main").getByText(/POST \/todos|todo/).first().waitFor();
    texts.push(await tab.locator("main").innerText());
    await shoot(tab, `demo-${name}`);
  }
  assert.ok(texts.every((t) => t.includes("A todo list")));
  await ask("running");
  await demo.getByRole("button", { name: "End the demo" }).click();
  await demo.getByRole("button", { name: "Start the paired demo" }).waitFor({ timeout: 60_000 });
  await ask("gone");
  // What is not ended goes with the daemon, even if that is killed.
  await demo.getByRole("button", { name: "Start the paired demo" }).click();
  await demo.getByText("Two daemons run beside this one").waitFor({ timeout: 60_000 });
  await ask("running");
  await ask("kill");
});
