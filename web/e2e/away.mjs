// The line to the daemon is dead for an hour, twice: it takes everything and answers nothing. The page finds
// that out by itself, keeps what it knew, does nothing, and on the return shows all that came, once: by the
// events' numbers, and, where those are no longer kept, by reading everything anew.
import { accessible, ask, assert, facts, flow, shoot } from "./lib.mjs";

await flow(async (open) => {
  const page = await open(facts.url, { clock: true });
  const all = page.waitForResponse(/assets\/wizard-/); // what was not opened yet is fetched while there is time
  let asked = [];
  page.on("request", (r) => asked.push(`${r.method()} ${new URL(r.url()).pathname}`));
  const sockets = [];
  page.on("websocket", (s) => sockets.push(Number(new URL(s.url()).searchParams.get("since"))));
  await page.getByRole("button", { name: "List" }).click();
  await page.getByRole("link", { name: "frontend", exact: true }).click();
  const talk = page.getByRole("log", { name: "Conversation" });
  const box = page.getByRole("textbox", { name: "Message to frontend" });
  const strip = page.getByText("The daemon is not reachable.");
  const known = ["before it", "echo before it"];
  await ask("before");
  for (const text of known) await talk.getByText(text, { exact: true }).waitFor();

  const lose = async () => {
    await ask("cut");
    await page.clock.fastForward(21_000); // so long it hears nothing, and asks
    await page.clock.fastForward(11_000); // so long it waits for the answer
    await strip.waitFor();
    asked = [];
    await page.clock.fastForward("01:00:00");
    await page.getByText(/\(1 h( \d+ min)? ago\)/).waitFor();
    await page.clock.fastForward(21_000); // the try under way is given up, too
    await page.getByText(/Next try in \d+ s\./).waitFor();
  };
  const comeBack = async () => {
    await ask("mend");
    await page.getByRole("button", { name: "Try now" }).click({ timeout: 2000 }).catch(() => {}); // it may have tried by itself
    await strip.waitFor({ state: "detached" });
  };
  const once = async (texts) => {
    for (const text of texts) {
      await talk.getByText(text, { exact: true }).waitFor();
      assert.equal(await talk.getByText(text, { exact: true }).count(), 1, text);
    }
  };

  await all;
  await lose();
  // What was known is readable, what acts is off and says why, and nothing is sent behind the user's back.
  await once(known);
  await page.getByRole("tab", { name: "Config" }).click();
  await page.getByRole("region", { name: "Config" }).getByText("scripted").first().waitFor();
  await page.getByRole("tab", { name: "Chat" }).click();
  await box.fill("said while it was away");
  const send = page.getByRole("button", { name: "Send", exact: true });
  assert.equal(await send.getAttribute("aria-disabled"), "true");
  assert.equal(await send.getAttribute("title"), "The daemon is not reachable");
  await send.click({ force: true });
  await box.press("Enter");
  await page.getByText("the daemon is not reachable; nothing was sent").waitFor();
  assert.equal(await box.inputValue(), "said while it was away");
  await page.getByRole("button", { name: /Spawn agent/ }).click();
  const spawn = page.getByRole("dialog", { name: "Spawn an agent" });
  await spawn.getByRole("status").getByText("The daemon is not reachable").waitFor();
  await page.keyboard.press("Escape");
  await accessible(page, "while the daemon is away");
  await shoot(page, "away");
  assert.deepEqual([...new Set(asked)].filter((r) => r.includes("/api/") && r !== "POST /api/tickets"), [], "something was asked for while it was away");
  assert.ok(asked.length <= 6, `${asked.length} tries in an hour that passed in a moment`);

  await ask("few");
  asked = [];
  const before = sockets.at(-1);
  await comeBack();
  known.push("one of few", "echo one of few", "two of few", "echo two of few");
  await once(known);
  assert.equal(await talk.getByText("said while it was away", { exact: true }).count(), 0, "what was not sent is there");
  assert.ok(!asked.includes("GET /api/snapshot"), "everything was read anew, where the events were still kept");
  assert.ok(sockets.at(-1) >= before && sockets.at(-1) > 0, `the socket goes on from ${sockets.at(-1)}, after ${before}`);
  assert.equal(await send.getAttribute("aria-disabled"), null);
  await box.press("Enter");
  known.push("said while it was away");
  await once(known);

  await lose();
  await ask("many");
  asked = [];
  await comeBack();
  known.push("the last of many", "echo the last of many");
  await once(known);
  assert.ok(asked.includes("GET /api/snapshot"), "nothing was read anew, though the events are gone");
  await page.getByRole("button", { name: "Close the panel" }).click();
  for (const name of ["flood-1", "flood-2"]) await page.getByRole("row").filter({ has: page.getByRole("link", { name, exact: true }) }).getByText(String(facts.each), { exact: true }).waitFor();
  assert.equal(await page.getByRole("link", { name: "flood-1", exact: true }).count(), 1);
});
