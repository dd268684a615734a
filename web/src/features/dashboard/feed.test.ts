import { expect, test } from "vitest";
import type { Approval, Mail, Peer } from "~/api/client";
import { feedOf, isEntry, type Entry, type News } from "./feed";

const mail = (at: string, direction: string, from: string, to: string) => ({ id: at, at, direction, from, to, peerName: "vps", state: "answered", pos: 0, text: "" }) as Mail;
const known = { peers: [{ id: "p".repeat(52), name: "vps" } as Peer], jobs: [{ jobId: "j1", title: "Invoices" }] };
const text = (n: News) => n.parts.map((p) => (typeof p === "string" ? p : "here" in p ? p.here : "there" in p ? `<${p.there}>` : `“${p.quote}”`)).join("") + (n.times > 1 ? ` ×${n.times}` : "");
let n = 0;
const entry = (at: string, event: string, more: Partial<Entry> = {}): Entry => ({ n: n++, at, event, ...more });

test("who is a peer's is marked, whichever way it goes", () => {
  const all = [mail("1", "out", "front", "back"), mail("2", "in", "back", "front"), mail("3", "local", "user", "front"), mail("4", "in", "user", "user"), mail("5", "out", "user", "user")];
  expect(feedOf(all, [], [], known, 9).map(text)).toEqual(["You wrote to <the user of vps>", "<the user of vps> wrote to you", "You wrote to front", "<back> wrote to front", "front wrote to <back>"]);
});

test("messages, questions and the record stand in one order, the newest first", () => {
  const asked = [{ id: "a", created: "3", title: "front wants to edit README" } as Approval];
  const record = [entry("1", "spawn", { agent: "front" }), entry("2", "job.open", { peer: "p".repeat(52), job: "j1" }), entry("5", "disconnect", { peer: "q".repeat(52), detail: "lost" }), entry("6", "send"), entry("6", "permission")];
  expect(feedOf([mail("4", "local", "user", "front")], asked, record, known, 9).map(text)).toEqual(["The bridge to <qqqqqqqq> is down: “lost”", "You wrote to front", "“front wants to edit README”", "You opened “Invoices” with <vps>", "You spawned front"]);
});

test("the same again is counted, and the newest are kept", () => {
  const record = [entry("1", "spawn", { agent: "x" }), ...["2", "3", "4"].map((at) => entry(at, "refuse", { kind: "rate.exceeded" }))];
  expect(feedOf([], [], record, known, 1).map(text)).toEqual(["Refused: “rate.exceeded” ×3"]);
  expect(feedOf([mail("5", "local", "user", "a"), mail("6", "local", "user", "a")], [], [], known, 9).map(text)).toEqual(["You wrote to a ×2"]);
});

test("rows that do not look as expected are none", () => {
  expect([null, 7, { n: "1", event: "x" }, { n: 1 }, { n: 1, event: "spawn" }].map(isEntry)).toEqual([false, false, false, false, true]);
});
