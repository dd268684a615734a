// Two users, two browsers. Words that differ are refused in a room that both name; then one compares
// the five words by eye, the other types them. An invite is made and taken back; the pairing ends with
// what waits named.
import { accessible, ask, assert, facts, flow, shoot, wear } from "./lib.mjs";

await flow(async (open) => {
  const pages = [await open(facts.urls[0]), await open(facts.urls[1])];
  const dialogs = pages.map((p) => p.getByRole("dialog", { name: "Pair a machine" }));
  const arm = async (i) => {
    await dialogs[i].getByRole("textbox", { name: /Address/ }).fill(facts.bridges[1 - i]);
    await dialogs[i].getByRole("textbox", { name: /Address/ }).press("Enter");
  };
  const words = async (i) => {
    const list = dialogs[i].getByRole("list", { name: "The five words" });
    await list.waitFor();
    return list.locator("b").allInnerTexts();
  };
  for (const [i, page] of pages.entries()) {
    await page.getByRole("button", { name: "Pair a machine" }).first().click();
    await dialogs[i].getByText(/For five minutes the gate admits this address/).waitFor();
    await dialogs[i].getByText(/^(kernel|reset)$/).waitFor();
    await arm(i);
  }

  // One says that they differ: both are told in which room it ended.
  assert.deepEqual(await words(0), await words(1));
  for (const theme of ["light", "dark"]) {
    await wear(pages[0], theme);
    await accessible(pages[0], `Five words, ${theme}`);
    await shoot(pages[0], `pair-${theme}`);
  }
  await dialogs[0].getByRole("button", { name: "They differ: stop" }).click();
  await pages[0].waitForFunction(() => /Refused in the room words/.test(document.querySelector("[role=dialog]")?.innerText ?? ""));
  await shoot(pages[0], "pair-refused");

  // Again: the left one by eye, the right one by typing.
  const now = [await words(0), await words(1)];
  assert.deepEqual(now[0], now[1]);
  await dialogs[1].getByRole("button", { name: "Type theirs" }).click();
  const fields = dialogs[1].getByRole("group", { name: "The other screen's words" }).getByRole("textbox");
  assert.equal(await dialogs[1].getByText(now[1][0], { exact: true }).count(), 0, "this screen's words are not hidden");
  const match = dialogs[1].getByRole("button", { name: "The words match" });
  await fields.nth(0).fill("wrong");
  await fields.nth(1).focus();
  await dialogs[1].getByText("Word 1: differs").waitFor();
  assert.ok(await match.isDisabled());
  await fields.nth(0).fill(now[0].join(" "));
  await accessible(pages[1], "Typed words");
  await shoot(pages[1], "pair-typed");
  await dialogs[0].getByRole("button", { name: "The words match" }).click();
  await dialogs[0].getByText("You said yes").waitFor();
  await dialogs[0].getByText("confirmed", { exact: true }).waitFor();
  await match.click();
  for (const d of dialogs) await d.getByText(/^Paired with/).waitFor();
  await dialogs[0].getByRole("button", { name: "Done" }).click();
  await pages[0].getByRole("region", { name: "Peers" }).getByText("vps").waitFor();

  // Invites: what was made is listed without its secret, and can be taken back.
  const page = pages[0];
  await page.getByRole("button", { name: "Pair a machine" }).first().click();
  await dialogs[0].getByRole("button", { name: "Make an invite" }).click();
  await dialogs[0].getByRole("textbox", { name: /Who may use it/ }).fill("127.0.0.9");
  await dialogs[0].getByRole("button", { name: "Make the invite" }).click();
  const line = await dialogs[0].getByRole("textbox", { name: "The invite" }).inputValue();
  assert.match(line, /^groove1:/);
  const made = dialogs[0].getByRole("region", { name: "Invites that were made" });
  await made.getByText("127.0.0.9/32").waitFor();
  await accessible(page, "Invites");
  await made.getByRole("button", { name: "Take it back" }).click();
  await made.getByText("revoked").waitFor();
  await dialogs[0].getByRole("button", { name: "Close" }).click();

  // The end names the job and the message that waits.
  await ask("wait");
  await page.getByRole("region", { name: "Peers" }).getByText("vps").click();
  await page.getByRole("button", { name: "Unpair" }).click();
  const end = page.getByRole("dialog", { name: "Unpair vps?" });
  await end.getByText("Ends with it", { exact: true }).waitFor();
  await end.getByRole("list", { name: "What waits" }).getByText("never to arrive").waitFor();
  await accessible(page, "Unpair");
  await shoot(page, "unpair");
  await end.getByRole("button", { name: "Unpair and drop 1 message" }).click();
  await page.getByText("vps is unpaired, 1 message cancelled").waitFor();
});
