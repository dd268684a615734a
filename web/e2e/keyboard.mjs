// Every flow without a pointer: first run, spawn, chat, approval, tree, palette, dialogs, pairing, an
// ambassador's job, a message, its end, settings.
import { accessible, assert, facts, flow, keyboard } from "./lib.mjs";

await flow(async (open) => {
  const page = await open(facts.urls[0]);
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
  const radio = async (name, start) => {
    await keys.to(start);
    const want = spawn.getByRole("radio", { name });
    for (let i = 0; i < 14 && !(await want.isChecked()); i++) await page.keyboard.press("ArrowRight", { delay: 80 });
    assert.ok(await want.isChecked(), `arrows do not lead to ${name}`);
  };
  const text = async (role, name, value) => {
    await keys.to(spawn.getByRole(role, { name }));
    await keys.type(value);
  };
  await radio("Frontend", spawn.getByRole("radio", { name: "No role" }));
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
  await radio(/^Script/, spawn.getByRole("radiogroup", { name: "Program" }));
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
  await card.waitFor({ state: "detached" });

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
  await page.getByRole("combobox").waitFor();
  await keys.press("Escape");
  await keys.at(button("Actions"), "the focus did not come back from the palette");
  await keys.press("?");
  await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
  await keys.press("Escape");
  await page.getByRole("dialog", { name: "Keyboard" }).waitFor({ state: "detached" });

  // Pairing: two users, two keyboards.
  const other = await open(facts.urls[1]);
  const theirs = keyboard(other);
  const both = [[page, keys], [other, theirs]];
  for (const [i, [p, k]] of both.entries()) {
    await p.getByRole("navigation", { name: "Main" }).waitFor();
    await k.press("p");
    await k.at(p.getByRole("textbox", { name: /Address/ }), "the dialog does not begin at the address");
    await k.type(facts.bridges[1 - i]);
    await k.press("Enter");
  }
  for (const [p, k] of both) await k.enter(p.getByRole("button", { name: "The same words" }));
  for (const [p, k] of both) {
    await p.getByText(/^Paired with/).waitFor();
    await k.enter(p.getByRole("button", { name: "Done" }));
    await p.getByRole("dialog").waitFor({ state: "detached" });
  }

  // An ambassador's job; the peer's user says yes to it by key.
  await keys.press("n");
  await radio("Ambassador", spawn.getByRole("radio", { name: "No role" }));
  await text("textbox", "Remote agents by name", "backend");
  await text("textbox", "Script to play", facts.script);
  await text("textbox", "Scope", "docs/**");
  await keys.enter(button("Spawn ambassador-1", spawn));
  await page.waitForURL(/agents\/ambassador-1/);
  await theirs.press("g", "i");
  await other.getByRole("region", { name: "The question" }).getByRole("article").getByText("A", { exact: true }).waitFor();
  await theirs.press("a");

  // A message to the peer, and the end of the connection.
  const federation = page.getByRole("tab", { name: "Federation" });
  await federation.waitFor();
  await keys.to(page.getByRole("tab", { name: "Chat" }));
  for (let i = 0; i < 4; i++) await keys.press("ArrowRight");
  await page.getByRole("tab", { name: "Federation", selected: true }).waitFor();
  await page.getByRole("region", { name: "Federation" }).getByText("Connected", { exact: true }).waitFor();
  await keys.enter(button("Send message"));
  const write = page.getByRole("dialog", { name: "Write to vps" });
  await keys.at(write.getByRole("textbox", { name: "Message" }), "the dialog does not begin at the message");
  await keys.type("by key alone");
  await keys.press("Control+Enter");
  await write.waitFor({ state: "detached" });
  await page.getByRole("region", { name: "Federation" }).getByText("by key alone", { exact: true }).first().waitFor();
  await keys.at(button("Send message"), "the focus did not come back from the message");

  // The tree: one stop of Tab, arrows from card to card, Enter opens, Escape closes.
  await keys.press("Escape");
  await page.waitForURL(/agents$/);
  const tree = page.getByRole("application").or(page.locator(".react-flow")).first();
  const node = (name) => tree.locator(".react-flow__node").and(page.getByLabel(name));
  await node(/^ambassador-1,/).waitFor();
  const stops = await tree.locator(".react-flow__node[tabindex='0']").count();
  assert.equal(stops, 1, "the tree is not one stop");
  await keys.to(tree.locator(".react-flow__node[tabindex='0']"));
  const walked = new Set();
  for (const key of ["ArrowLeft", "ArrowRight", "ArrowDown", "ArrowDown", "ArrowUp", "ArrowUp"]) {
    await keys.press(key);
    await keys.seen();
    walked.add(await page.evaluate(() => document.activeElement.getAttribute("aria-label")?.split(",")[0]));
  }
  for (const name of ["front", "ambassador-1"]) assert.ok(walked.has(name), `arrows lead to ${[...walked]}`);
  assert.ok([...walked].some((w) => w.startsWith("backend on") || w.startsWith("Job")), `arrows do not lead over the border: ${[...walked]}`);
  await keys.press("Enter");
  await page.waitForURL(/agents\/.+/);
  await accessible(page, "an agent opened by key");

  // Disconnect.
  await keys.press("Control+k");
  await keys.type("@ambassador");
  await keys.press("Enter");
  await page.waitForURL(/agents\/ambassador-1/);
  await keys.enter(button("Disconnect"));
  const parting = page.getByRole("dialog", { name: "Disconnect from vps?" });
  await parting.waitFor();
  await keys.trapped(parting);
  await keys.enter(button(/^Disconnect/, parting));
  await page.getByRole("tab", { name: "Federation" }).waitFor({ state: "detached" });

  // Settings: unpair asks, and leaves the focus where it was.
  await keys.press("Escape", "g", "s");
  await keys.to(button("Unpair", page.locator("main")));
  await keys.press("Enter");
  const unpair = page.getByRole("dialog", { name: "Unpair vps?" });
  await unpair.waitFor();
  await keys.trapped(unpair);
  await keys.enter(button("Keep it", unpair));
  await keys.at(button("Unpair", page.locator("main")), "the focus did not come back to Unpair");
  await keys.press("g", "a");
  await page.waitForURL(/agents$/);
});
