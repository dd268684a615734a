// Without a pointer, between two machines: pairing, an ambassador's job, a message, the tree by its arrows, the end
// of the connection, settings.
import { accessible, assert, facts, flow, keyboard } from "./lib.mjs";

await flow(async (open) => {
  const page = await open(facts.urls[0]);
  const other = await open(facts.urls[1]);
  const keys = keyboard(page);
  const theirs = keyboard(other);
  const button = (name, within = page, exact = false) => within.getByRole("button", { name, exact });

  // Pairing: two users, two keyboards.
    const both = [[page, keys], [other, theirs]];
  for (const [i, [p, k]] of both.entries()) {
    await p.getByRole("navigation", { name: "Main" }).waitFor();
    await k.press("p");
    await k.at(p.getByRole("textbox", { name: /Address/ }), "the dialog does not begin at the address");
    await k.type(facts.bridges[1 - i]);
    await k.press("Enter");
  }
  for (const [p, k] of both) await k.enter(p.getByRole("button", { name: "The words match" }));
  for (const [p, k] of both) {
    await p.getByText(/^Paired with/).waitFor();
    await k.enter(p.getByRole("button", { name: "Done" }));
    await p.getByRole("dialog").waitFor({ state: "detached" });
  }

  // An ambassador's job; the peer's user says yes to it by key.
  await keys.press("n");
  const spawn = page.getByRole("dialog", { name: "Spawn an agent" });
  const text = (role, name, value) => keys.fill(spawn.getByRole(role, { name }), value);
  await keys.choose(spawn.getByRole("radio", { name: "No role" }), spawn.getByRole("radio", { name: "Ambassador" }).first());
  const chip = button(/backend/, spawn.getByRole("group", { name: "Remote agents" }));
  await keys.to(chip);
  await keys.press("Space", "Space");
  assert.equal(await chip.getAttribute("aria-pressed"), "true");
  await keys.choose(spawn.getByRole("radiogroup", { name: "Program" }), spawn.getByRole("radio", { name: /^Script/ }));
  await text("combobox", "Directory", facts.dir);
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
    walked.add(await page.evaluate(() => document.getElementById(document.activeElement.getAttribute("aria-labelledby"))?.textContent.split(",")[0]));
  }
  for (const name of ["frontend", "ambassador-1"]) assert.ok(walked.has(name), `arrows lead to ${[...walked]}`);
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
