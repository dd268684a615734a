// From nothing to an agent that answers: first run, the dialog by keyboard, its live previews and
// refusals, the agent's page.
import { accessible, assert, facts, flow, shoot, wear } from "./lib.mjs";

await flow(async (open) => {
  const page = await open(facts.url);
  const steps = page.getByRole("list", { name: "First steps" });
  await steps.getByText("It is called laptop").waitFor();
  for (const theme of ["light", "dark"]) {
    await wear(page, theme);
    await accessible(page, `First run, ${theme}`);
    await shoot(page, `first-run-${theme}`);
  }

  await page.keyboard.press("n");
  const dialog = page.getByRole("dialog", { name: "Spawn an agent" });
  await dialog.getByRole("radio", { name: "Frontend" }).waitFor();

  // A program that is missing says how to get it.
  const missing = dialog.getByRole("radio", { name: /not installed/ }).first();
  if (await missing.count()) {
    await missing.click();
    await dialog.getByRole("button", { name: "Copy the command" }).waitFor();
  }

  // By keyboard alone: the role by arrow keys, then field by field.
  await dialog.getByRole("radio", { name: "No role" }).focus();
  await page.keyboard.press("ArrowLeft", { delay: 60 });
  await dialog.getByRole("radio", { name: "Ambassador", checked: true }).waitFor();
  await dialog.getByText("No machine is paired yet").waitFor();
  assert.equal(await dialog.getByRole("button", { name: /^Spawn / }).isDisabled(), true);
  for (let i = 0; i < 3; i++) await page.keyboard.press("ArrowLeft", { delay: 60 });
  await dialog.getByRole("radio", { name: "Frontend", checked: true }).waitFor();
  await dialog.getByRole("textbox", { name: "Name" }).fill("No Name");
  await dialog.getByText("It takes a-z, 0-9").first().waitFor();
  await dialog.getByRole("textbox", { name: "Name" }).fill("");

  const dir = dialog.getByRole("combobox", { name: "Directory" });
  await dir.fill(facts.dir + "/nowhere");
  await dialog.getByText("does not exist").first().waitFor();
  await dir.fill(facts.dir + "/sh");
  await dialog.getByRole("option", { name: /shop/ }).waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Escape");
  await dialog.waitFor();
  assert.equal(await dir.inputValue(), facts.dir + "/shop/");

  await dialog.getByRole("switch", { name: "Own worktree" }).click();
  await dialog.getByText("groove/frontend-1").waitFor();
  const files = dialog.getByRole("status", { name: "Files in the scope" });
  await files.getByText("3 files").waitFor();
  const scope = dialog.getByRole("textbox", { name: "Scope" });
  await scope.fill("../out");
  await dialog.getByText(/not a plain path/).waitFor();
  await scope.fill("web/**");
  await files.getByText("2 files").waitFor();

  await dialog.getByRole("radio", { name: /^Script/ }).click();
  await dialog.getByRole("textbox", { name: "Script to play" }).fill(facts.dir + "/gone.yaml");
  await dialog.getByRole("textbox", { name: "Budget" }).fill("40");
  await dialog.getByRole("combobox", { name: "Unit of the budget" }).selectOption("turns");
  await dialog.getByText("Model, mode, team, rules").click();
  await dialog.getByRole("button", { name: "Add a rule" }).click();
  for (const theme of ["light", "dark"]) {
    await wear(page, theme);
    await accessible(page, `Spawn, ${theme}`);
    await dialog.getByRole("radio", { name: "Frontend" }).focus();
    await shoot(page, `spawn-agent-${theme}`);
  }
  await dialog.getByRole("textbox", { name: "What should it do?" }).fill("Say that you are there");
  await page.keyboard.press("Control+Enter");

  // The daemon's refusal stands in the dialog, and nothing is lost by it.
  await dialog.getByText("payload.invalid").waitFor();
  await accessible(page, "Spawn, refused");
  await dialog.getByRole("textbox", { name: "Script to play" }).fill(facts.script);
  await page.keyboard.press("Control+Enter");
  await dialog.waitFor({ state: "detached" });
  await page.waitForURL(/agents\/frontend-1/);
  const talk = page.getByRole("log", { name: "Conversation" });
  await talk.locator("strong", { hasText: "noted" }).waitFor();
  await page.getByRole("textbox", { name: "Message to frontend-1" }).fill("and now?");
  await page.keyboard.press("Enter");
  await talk.locator("strong", { hasText: "noted" }).nth(1).waitFor();
  await page.getByRole("complementary", { name: "First steps" }).getByText("Spawn your first agent, done").waitFor();

  // By keyboard alone, from the palette on; a program that does not come up says so on the agent's page.
  const tabTo = async (what) => {
    for (let i = 0; i < 40; i++) {
      await page.keyboard.press("Tab");
      if (await what.evaluate((e) => e === document.activeElement)) return;
    }
    assert.fail("Tab does not reach " + what);
  };
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Find or do" }).fill("spawn an agent");
  await page.keyboard.press("Enter");
  await dialog.waitFor();
  await tabTo(dialog.getByRole("radio", { name: "No role" }));
  const reviewer = dialog.getByRole("radio", { name: "Reviewer" });
  for (let i = 0; i < 12 && !(await reviewer.isChecked()); i++) await page.keyboard.press("ArrowRight", { delay: 60 });
  await tabTo(dialog.getByRole("textbox", { name: "Script to play" }));
  await page.keyboard.type(facts.dir + "/broken.yaml");
  await tabTo(dialog.getByRole("textbox", { name: "Scope" }));
  await page.keyboard.type("reviews/**");
  await tabTo(dialog.getByRole("button", { name: "Spawn reviewer-1" }));
  await page.keyboard.press("Enter");
  await page.waitForURL(/agents\/reviewer-1/);
  await page.getByRole("alert").getByText("Its program did not come up").waitFor();
  await accessible(page, "A program that did not come up");
  await shoot(page, "spawn-failed");

  // Who works in the same files is named before and after: not one with files of its own.
  const another = async (name, scope, overlap) => {
    await page.getByRole("button", { name: /Spawn agent/ }).click();
    await dialog.getByRole("radio", { name: "Frontend" }).click();
    await dialog.getByRole("textbox", { name: "Script to play" }).fill(facts.script);
    await dialog.getByRole("textbox", { name: "Scope" }).fill(scope);
    await files.getByText(/ files?$/).waitFor();
    if (overlap) await dialog.getByText(overlap).waitFor();
    await dialog.getByRole("button", { name: "Spawn " + name }).click();
  };
  await another("frontend-2", "web/a.ts");
  await page.waitForURL(/agents\/frontend-2/);
  await another("frontend-3", "web/**", "Overlaps frontend-2 in 1 file (web/a.ts)");
  const minded = page.getByRole("dialog", { name: "frontend-3 is spawned" });
  await minded.getByText(/overlaps that of frontend-2/).waitFor();
  await page.keyboard.press("Enter");
  await page.waitForURL(/agents\/frontend-3/);
  await page.getByRole("button", { name: "List" }).click();
  await page.getByRole("link", { name: "frontend-2", exact: true }).waitFor();
});
