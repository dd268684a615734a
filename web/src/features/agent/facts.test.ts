import { expect, test } from "vitest";
import type { Job, Leg, Mail, RemoteAgent } from "~/api/client";
import { Transcript } from "~/lib/transcript";
import { crossedOf, fillOf, fillsOf, linksOf, linksTo, median, money, number, outbox, teamOf, tokensOf, traffic, turnsOf } from "./facts";

const leg = (peer: string, state: string, agents: string[], peerAgents: string[]) => ({ peer, peerName: peer, state, agents, peerAgents, connected: true, waiting: 0 });
const jobs = [
  { jobId: "j1", title: "one", goal: "", opener: "us", state: "open", created: "", legs: [leg("p", "open", ["amb"], ["back", "web"]), leg("q", "closed", ["amb"], ["x"])] },
  { jobId: "j2", title: "two", goal: "", opener: "us", state: "paused", created: "", legs: [leg("p", "paused", ["other"], ["back"])] },
] as Job[];

test("an agent's jobs are those that link it and have not ended", () => {
  expect(linksOf("amb", jobs).map((l) => l.job.jobId + l.leg.peer)).toEqual(["j1p"]);
  expect(linksOf("nobody", jobs)).toEqual([]);
  expect(linksTo("back", "p", jobs).map((l) => l.job.jobId)).toEqual(["j1", "j2"]);
  expect(linksTo("back", "q", jobs)).toEqual([]);
  expect(linksTo("x", "q", jobs)).toEqual([]);
});

test("a leg's team shows what is known, and of the peer alone", () => {
  const remotes = [
    { peer: "p", agent: "back", status: "running" },
    { peer: "q", agent: "web", status: "idle" },
  ] as RemoteAgent[];
  expect(teamOf(jobs[0]!.legs![0]!, remotes).map((m) => [m.name, m.known?.status])).toEqual([
    ["back", "running"],
    ["web", undefined],
  ]);
});

const mail = (direction: string, from: string, to: string, at: string, state = "answered", peer = "p") => ({ id: at, direction, from, to, at, state, peer, pos: 0, text: "" }) as Mail;

test("traffic counts each way, with the peer alone", () => {
  const all = [mail("out", "amb", "back", "1"), mail("in", "back", "amb", "3"), mail("in", "web", "amb", "2"), mail("out", "other", "back", "9"), mail("out", "amb", "x", "8", "queued", "q"), mail("local", "user", "amb", "7", "read", "")];
  expect(traffic(all, "amb", "p")).toEqual({ sent: 1, received: 2, last: "3" });
});

test("what an agent exchanged is its own, not that of an agent of the same name there", () => {
  const l = { ...leg("p", "open", ["amb", "other"], ["amb"]), sent: 9, received: 5, traffic: [{ agent: "amb", sent: 2, received: 1, lastAt: "7" }, { agent: "user", sent: 7, received: 4 }] } as Leg;
  expect(crossedOf(l, "amb")).toEqual({ sent: 2, received: 1, last: "7" });
  expect(crossedOf(l, "other")).toEqual({ sent: 0, received: 0, last: undefined });
});

test("how full the context was follows what the program said, turn by turn", () => {
  const t = new Transcript();
  const say = (v: object) => t.feed(JSON.stringify({ at: "2026-01-01T00:00:00.000Z", ...v }) + "\n");
  say({ turn: 1, used: { contextUsed: 40, contextSize: 100 } });
  say({ turn: 1, stop: "end_turn" });
  say({ turn: 2, used: { inputTokens: 1 } });
  say({ turn: 2, stop: "end_turn" });
  say({ turn: 3, used: { contextUsed: 130, contextSize: 100 } });
  expect(fillsOf(t.items)).toEqual([{ turn: 1, percent: 40 }, { turn: 3, percent: 100 }]);
  expect(turnsOf(t.items).map((x) => x.n)).toEqual([1, 2]);
});

test("the outbox is what has no receipt", () => {
  const all = ["queued", "sent", "held", "stored", "refused", "cancelled"].map((s, i) => mail("out", "amb", "back", String(i), s));
  expect(outbox([...all, mail("in", "back", "amb", "9", "queued")], "p").map((m) => m.state)).toEqual(["queued", "sent", "held"]);
});

test("turns are as long as the record says", () => {
  const t = new Transcript();
  const line = (at: string, v: object) => JSON.stringify({ at, ...v }) + "\n";
  t.feed(line("2026-01-01T00:00:00Z", { prompt: "go" }) + line("2026-01-01T00:00:38Z", { turn: 1, stop: "end_turn" }) + line("2026-01-01T00:01:00Z", { turn: 2, stop: "cancelled" }));
  expect(turnsOf(t.items)).toEqual([
    { n: 1, began: "2026-01-01T00:00:00Z", exact: true, ms: 38_000, end: "end_turn" },
    { n: 2, began: undefined, exact: false, ms: undefined, end: "cancelled" },
  ]);
  const said = (at: string) => line(at, { update: { sessionUpdate: "agent_message_chunk", content: { type: "text", text: "x" } } });
  t.feed(said("2026-01-01T00:02:00Z") + line("2026-01-01T00:02:09Z", { turn: 3, stop: "end_turn" }));
  expect(turnsOf(t.items)[2]).toEqual({ n: 3, began: "2026-01-01T00:02:00Z", exact: false, ms: 9000, end: "end_turn" });
});

test.each([
  [[], undefined],
  [[5], 5],
  [[9, 1, 5], 5],
  [[4, 1, 3, 2], 2],
])("the median of %j", (all, want) => expect(median(all)).toBe(want));

test("what is not reported is not nought", () => {
  expect([number(undefined), number(0), number(212480)]).toEqual(["not reported", "0", "212,480"]);
  expect([money(undefined, "USD"), money(1.318, "USD"), money(0.0012, undefined), money(2, "EUR"), money(0, "USD")]).toEqual(["not reported", "$1.32", "$0.0012", "2.00 EUR", "$0.00"]);
  const a = (usage: object) => fillOf({ usage } as never);
  expect([a({}), a({ contextUsed: 10 }), a({ contextUsed: 0, contextSize: 10 }), a({ contextUsed: 54, contextSize: 100 })]).toEqual([undefined, undefined, 0, 54]);
});

test.each([
  [{ totalTokens: 5, inputTokens: 100 }, 5],
  [{ inputTokens: 3, cachedReadTokens: 4, reasoningTokens: 9 }, 7],
  [{ inputTokens: 0 }, 0],
  [{ reasoningTokens: 9 }, undefined],
  [{}, undefined],
])("the tokens of %j", (usage, want) => expect(tokensOf(usage as never)).toBe(want));
