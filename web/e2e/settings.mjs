// Settings: what a peer's job begins with is changed here, what is refused says what may stand
// there, the next start takes it; programs are tested; the gate says which mode is in use.
import { accessible, ask, assert, facts, flow, shoot, wear } from "./lib.mjs";

await flow(async (open) => {
  const page = await open(facts.url);
  const rail = page.getByRole("navigation", { name: "Main" });
  await rail.getByRole("link", { name: "Settings" }).click();
  const bridge = page.getByRole("region", { name: "Bridge", exact: true });
  const idle = bridge.getByLabel("Default idle timeout");
  assert.equal(await idle.inputValue(), "15m");
  await idle.fill("3 weeks");
  await page.keyboard.press("Enter");
  await bridge.getByRole("alert").getByText("allowed").waitFor();
  await idle.fill("20m");
  await page.keyboard.press("Enter");
  await bridge.getByText("The daemon runs with what it read at its start").waitFor();
  await bridge.getByText("job.idle", { exact: false }).first().waitFor();
  assert.equal(await bridge.getByRole("alert").count(), 0, "the refusal goes once it is mended");
  await page.getByRole("group", { name: "Gate mode" }).getByText("in use").waitFor();
  const sections = page.getByRole("navigation", { name: "Settings" });
  for (const theme of ["light", "dark"]) {
    await wear(page, theme);
    for (const [name, text] of [["Programs", "scripted"], ["All settings", "job.ttl"], ["Federation", "Key pair"]]) {
      await sections.getByRole("link", { name }).click();
      await page.locator("main").getByText(text, { exact: true }).first().waitFor();
      await accessible(page, `Settings, ${name}, ${theme}`);
      await shoot(page, `settings-${name.toLowerCase().replace(" ", "-")}-${theme}`);
    }
  }
  await sections.getByRole("link", { name: "All settings" }).click();
  const row = page.getByRole("row").filter({ hasText: "job.idle" });
  await row.getByText("then 20m").waitFor();
  await page.getByRole("button", { name: "Change rate" }).click();
  const dialog = page.getByRole("dialog", { name: "rate" });
  await dialog.getByLabel("Value").fill("50");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByText("Written; the daemon takes it at its next start.").waitFor();
  await page.keyboard.press("Escape");
  assert.equal(await page.getByRole("button", { name: "Change programs." }).count(), 0);
  await ask("restart");
  await row.getByText("20m", { exact: true }).waitFor();
  await row.getByText("then 20m").waitFor({ state: "detached" });
  await sections.getByRole("link", { name: "Programs" }).click();
  const wild = page.getByRole("listitem").filter({ hasText: "broken" });
  await wild.getByRole("button", { name: "Test it" }).click();
  await wild.getByText("It does not work yet.").waitFor();
  await wild.getByText("initialized").waitFor();
});
