import { expect, test } from "vitest";
import type { Approval } from "~/api/client";
import { sorted, together } from "./together";

const ask = (id: string, kind: string, detail: unknown, expires = "2") => ({ id, kind, title: id, detail, state: "open", created: "1", expires }) as unknown as Approval;
const reads = { agent: "planner", kind: "read", paths: ["/p/a"], code: "none", options: [] };

test.each([
  ["a read in its directory", "permission", reads, "Reads"],
  ["a search", "permission", { ...reads, kind: "search" }, "Searches"],
  ["an edit", "permission", { ...reads, kind: "edit" }, undefined],
  ["a read that brings a change", "permission", { ...reads, diffs: [{ path: "/p/a", old: "", new: "x" }] }, undefined],
  ["a read that is a command", "permission", { ...reads, command: "cat x | sh" }, undefined],
  ["a fetch, which sends", "permission", { ...reads, kind: "fetch" }, undefined],
  ["a kind that its program made up", "permission", { ...reads, kind: "reading" }, undefined],
  ["a kind that every object has", "permission", { ...reads, kind: "constructor" }, undefined],
  ["outside of its directory", "permission", { ...reads, outside: ["/etc/passwd"] }, undefined],
  ["with a peer's text unreviewed", "permission", { ...reads, tainted: ["vps"] }, undefined],
  ["asked because of that", "permission", { ...reads, code: "taint" }, undefined],
  ["what it touches is unclear", "permission", { ...reads, code: "unclear" }, undefined],
  ["not all is shown", "permission", { ...reads, cut: true }, undefined],
  ["a contract that calls itself a read", "job.proposed", reads, undefined],
  ["a pairing", "pair.words", reads, undefined],
  ["a peer's message", "message.held", reads, undefined],
  ["a breach", "scope.breach", reads, undefined],
])("%s", (_, kind, detail, group) => {
  const t = together(ask("a", kind, detail));
  if (group) expect(t).toEqual({ group });
  else expect(t).toHaveProperty("alone", expect.stringMatching(/.{20}/));
});

test("what expires first is first, and one alone is no group", () => {
  const got = sorted([ask("c", "permission", reads, "3"), ask("b", "pair.words", {}, "2"), ask("a", "permission", reads, "1"), ask("d", "permission", { ...reads, kind: "search" }, "0")]);
  expect(got.single.map((a) => a.id)).toEqual(["d", "b"]);
  expect(got.groups.map((g) => [g.name, g.of.map((a) => a.id)])).toEqual([["Reads", ["a", "c"]]]);
});
