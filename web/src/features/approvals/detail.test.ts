import { expect, test } from "vitest";
import type { Approval } from "~/api/client";
import { read } from "./detail";

const of = (detail: unknown) => read({ id: "abcdefgh", kind: "permission", title: "t", detail, state: "open", created: "", expires: "" } as unknown as Approval);

test("a program's request shows its command, paths and diff", () => {
  const d = of({
    toolCall: { toolCallId: "1", locations: [{ path: "/a" }, { path: "/a" }], rawInput: { command: ["go", "test"] }, content: [{ type: "diff", path: "/a", oldText: "1", newText: "2" }] },
    options: [{ optionId: "y", name: "Yes", kind: "allow_once" }, { optionId: "n", name: "No", kind: "reject_once" }],
  });
  expect(d).toMatchObject({ command: "go test", paths: ["/a"], diffs: [{ path: "/a", before: "1", after: "2" }] });
  expect(d.options.map((o) => o.allow)).toEqual([true, false]);
});

test("a question of groove's own shows its change, its rule and the contract in words", () => {
  const d = of({ agent: "a", kind: "edit", diffs: [{ path: "/a", old: "1", new: "2" }], options: [], remember: { answer: "allow", kind: "edit", pattern: "src/**" } });
  expect(d).toMatchObject({ diffs: [{ path: "/a", before: "1", after: "2" }], remember: "allow edit:src/**", forbid: "" });
  expect(d.facts).toEqual([
    ["agent", "a"],
    ["kind", "edit"],
  ]);
});

test.each([[null], [undefined], ["x"], [[1]], [{ toolCall: "x", options: 7, words: { a: 1 }, diffs: ["x"] }]])("a detail that is none is empty: %j", (detail) => {
  const d = of(detail);
  expect(d.options).toEqual([]);
  expect(d.diffs).toEqual([]);
  expect(d.words).toEqual([]);
});
