// A dashboard with nothing on it: each card says what would stand there, and leads on.
import { accessible, assert, facts, flow, shoot, wear } from "./lib.mjs";

await flow(async (open) => {
  const page = await open(facts.url);
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Dashboard" }).click();
  const board = page.getByRole("region", { name: "Dashboard" });
  await board.getByRole("heading", { name: "No turn in the last 24 hours" }).waitFor();
  await board.getByText("No machine is paired.").waitFor();
  await board.getByText("No program has reported how full its context is.").waitFor();
  await board.getByText(/^Nothing yet\./).waitFor();
  assert.equal(await board.getByText("NaN").count(), 0);
  for (const theme of ["light", "dark"]) {
    await wear(page, theme);
    await accessible(page, `Empty dashboard, ${theme}`);
    await shoot(page, `dashboard-empty-${theme}`);
  }
  await board.getByRole("button", { name: "Pair a machine" }).click();
  await page.getByRole("dialog", { name: /Pair/ }).waitFor();
  await page.keyboard.press("Escape");
  await board.getByRole("button", { name: "Spawn an agent" }).click();
  await page.getByRole("dialog", { name: /Spawn/ }).waitFor();
});
