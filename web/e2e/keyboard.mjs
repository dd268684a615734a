// Without a pointer: first run, the spawn dialog, chat, approvals, the panel and its menu, the palette. Dialogs
// keep the focus and give it back.
import { assert, facts, flow, keyboard } from "./lib.mjs";

await flow(async (open) => {
  const page = await open(facts.url);
  for (const name of ["click", "dblclick", "tap", "hover", "fill", "check"]) page[name] = () => assert.fail("no pointer");
  const keys = keyboard(page);
  const button = (name, within = page, exact = false) => within.getByRole("button", { name, exact });
  const main = page.locator("main");

  // First run: past the rail into the view, and to its first button.
  await page.getByRole("list", { name: "First steps" }).waitFor();
  await keys.press("Tab");
  await keys.at(page.getByRole("link", { name: "Skip to the view" }), "the first stop is not the way past the rail");
  await keys.press("Enter");
  await keys.to(button(/^Spawn an agent/, main));

  // A dialog takes the focus, keeps it, and gives it back.
  await keys.press("Enter");
  const spawn = page.getByRole("dialog", { name: "Spawn an agent" });
  await spawn.getByRole("radio", { name: "Frontend" }).waitFor();
  await keys.trapped(spawn);
  await keys.press("Escape");
  await spawn.waitFor({ state: "detached" });
  await keys.at(button(/^Spawn an agent/, main), "the focus did not come back from the dialog");

  // The whole of the spawn dialog.
  await keys.press("Enter");
  const text = (role, name, value) => keys.fill(spawn.getByRole(role, { name }), value);
  await keys.choose(spawn.getByRole("radio", { name: "No role" }), spawn.getByRole("radio", { name: "Frontend" }));
  await text("textbox", "What should it do?", "say hello");
  await text("textbox", "Name", "front");
  await keys.to(spawn.getByRole("switch", { name: "Sandbox" }));
  await keys.press("Space", "Space");
  await text("combobox", "Directory", facts.dir + "/sh");
  await spawn.getByRole("option", { name: /shop/ }).waitFor();
  await keys.press("ArrowDown", "Enter", "Escape");
  await spawn.getByText("groove/front").waitFor();
  await keys.to(spawn.getByRole("switch", { name: "Own worktree" }));
  await keys.press("Space");
  await spawn.getByRole("switch", { name: "Own worktree", checked: true }).waitFor();
  await keys.choose(spawn.getByRole("radiogroup", { name: "Program" }), spawn.getByRole("radio", { name: /^Script/ }));
  await text("textbox", "Script to play", facts.script);
  await text("textbox", "Scope", "**");
  await text("textbox", "Budget", "40");
  await keys.to(spawn.getByRole("combobox", { name: "Unit of the budget" }));
  await keys.press("t", "t");
  assert.equal(await spawn.getByRole("combobox", { name: "Unit of the budget" }).inputValue(), "turns");
  await keys.enter(spawn.locator("summary"));
  await keys.enter(button("Add a rule", spawn));
  await text("textbox", "Pattern of rule 1", "go vet");
  await keys.enter(button("Remove rule 1", spawn));
  await keys.enter(button("Spawn front", spawn));
  await page.waitForURL(/agents\/front/);
  const talk = page.getByRole("log", { name: "Conversation" });
  await talk.getByText("noted", { exact: true }).first().waitFor();

  // Chat: write, steer, interrupt.
  await page.locator("body").press("m");
  const box = page.getByRole("textbox", { name: "Message to front" });
  await keys.at(box, "M does not lead to the composer");
  await keys.type("hang");
  await keys.press("Enter");
  await talk.getByText("working on it").waitFor();
  await keys.type("steered");
  await keys.press("Control+Enter");
  await talk.getByText("noted steered").waitFor();
  await keys.type("hang");
  await keys.press("Enter");
  await talk.getByText("working on it").nth(1).waitFor();
  await keys.press("Escape", ".");
  await button("Interrupt").waitFor({ state: "detached" });

  // Approvals: in the chat, and in the inbox by key.
  await keys.press("m");
  await keys.type("ask one");
  await keys.press("Enter");
  const question = talk.getByRole("article", { name: /Edit README/ });
  await question.waitFor();
  await keys.to(button("Approve", question), "Shift+Tab");
  await keys.press("Enter");
  await question.waitFor({ state: "detached" });
  await keys.press("m");
  await keys.type("ask two");
  await keys.press("Enter");
  await question.waitFor();
  await keys.press("Escape", "g", "i");
  await page.waitForURL(/approvals/);
  const card = page.getByRole("region", { name: "The question" }).getByRole("article");
  await card.getByText("D", { exact: true }).waitFor(); // on screen for long enough
  await keys.press("d");
  await card.getByText("Declined by you, in this tab").waitFor();

  // Tabs and the menu of the panel; a question before the end gives the focus back.
  await keys.press("Control+k");
  await keys.type("@front");
  await keys.press("Enter");
  await page.waitForURL(/agents\/front/);
  await keys.to(page.getByRole("tab", { name: "Chat" }));
  for (const name of ["Config", "Monitor", "Files"]) {
    await keys.press("ArrowRight");
    await page.getByRole("tab", { name, selected: true }).waitFor();
    await keys.seen();
  }
  await keys.press("ArrowLeft", "ArrowLeft", "ArrowLeft");
  await keys.to(button("Actions"), "Shift+Tab");
  await keys.press("Enter");
  const kill = page.getByRole("menuitem", { name: "Kill its program" });
  await kill.waitFor();
  await keys.press("End");
  await keys.at(kill, "End does not lead to the last of the menu");
  await keys.press("Enter");
  const sure = page.getByRole("dialog", { name: "Kill front?" });
  await sure.waitFor();
  await keys.trapped(sure);
  await keys.press("Escape");
  await sure.waitFor({ state: "detached" });
  await keys.at(button("Actions"), "the focus did not come back to the menu's button");

  // The palette gives the focus back, too.
  await keys.press("Control+k");
  await page.getByRole("combobox", { name: "Find or do" }).waitFor();
  await keys.press("Escape");
  await keys.at(button("Actions"), "the focus did not come back from the palette");
  await keys.press("?");
  await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
  await keys.press("Escape");
  await page.getByRole("dialog", { name: "Keyboard" }).waitFor({ state: "detached" });
});
