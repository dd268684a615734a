import { expect, test } from "vitest";
import type { Approval } from "~/api/client";
import { read } from "./detail";

const of = (detail: unknown, kind = "permission") => read({ id: "abcdefgh", kind, title: "t", detail, state: "open", created: "", expires: "" } as unknown as Approval);

test("a program's request shows its command, paths and diff", () => {
  const d = of({
    toolCall: { toolCallId: "1", locations: [{ path: "/a" }, { path: "/a" }], rawInput: { command: ["go", "test"] }, content: [{ type: "diff", path: "/a", oldText: "1", newText: "2" }] },
    options: [{ optionId: "y", name: "Yes", kind: "allow_once" }, { optionId: "n", name: "No", kind: "reject_once" }],
  });
  expect(d).toMatchObject({ command: "go test", paths: ["/a"], diffs: [{ path: "/a", before: "1", after: "2" }] });
  expect(d.options.map((o) => o.allow)).toEqual([true, false]);
});

test("a question of groove's own shows its change, its rule and why it is asked", () => {
  const d = of({ agent: "a", kind: "edit", diffs: [{ path: "/a", old: "1", new: "2" }], options: [], reason: "no rule fits", code: "none", outside: ["/a"], tainted: ["vps"], cut: true, remember: { answer: "allow", kind: "edit", pattern: "src/**" } });
  expect(d).toMatchObject({ agent: "a", sort: "edit", code: "none", outside: ["/a"], tainted: ["vps"], cut: true, diffs: [{ path: "/a", before: "1", after: "2" }], remember: "allow edit:src/**", forbid: "" });
  expect(d.facts).toEqual([["Why it asks", "no rule fits"]]);
});

test("a peer's words are quotes with their sender", () => {
  expect(of({ jobId: "j", peer: "k", from: "backend", to: "frontend", text: "hello" }, "message.held")).toMatchObject({ job: "j", peer: "k", agent: "frontend", quotes: [{ from: "backend", text: "hello" }] });
  expect(of({ agent: "a", program: "p", messages: [{ from: "b", at: "1", text: "x" }, { from: "c", at: "2", text: "" }] }, "turn.held").quotes).toEqual([{ from: "b", at: "1", text: "x" }]);
});

test("a contract is told by its plain words, not by its members", () => {
  const d = of({ opener: "k", peer: "me", title: "T", goal: "G", ttl: 7200, paths: ["x/**"], rate: 100 }, "job.proposed");
  expect([d.facts, d.paths]).toEqual([[], []]);
});

test("the answers to a spent budget have names", () => {
  expect(of({ agent: "a", options: ["raise", "keep", "end", "constructor"] }, "agent.budget").options.map((o) => `${o.id} ${o.allow}`)).toEqual(["raise true", "keep false", "end false"]);
});

test.each([[null], [undefined], ["x"], [[1]], [{ toolCall: "x", options: 7, words: { a: 1 }, diffs: ["x"], messages: [7], tainted: "x" }]])("a detail that is none is empty: %j", (detail) => {
  const d = of(detail);
  expect(d.options).toEqual([]);
  expect(d.diffs).toEqual([]);
  expect(d.words).toEqual([]);
  expect(d.quotes).toEqual([]);
});
