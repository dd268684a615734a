import { expect, test } from "vitest";
import type { Approval } from "~/api/client";
import { sayOf } from "./notify";

const ask = (kind: string, detail: unknown) => ({ id: "a", kind, title: "SECRET asks: execute rm -rf SECRET", words: "SECRET", detail, state: "open", created: "1", expires: "2" }) as unknown as Approval;

test.each([
  ["permission", { agent: "tests", kind: "execute", command: "SECRET", title: "SECRET", paths: ["/SECRET"], tool: "SECRET", reason: "SECRET" }, "", { title: "groove: Run a command", body: "tests" }],
  ["permission", { agent: "tests", kind: "SECRET" }, "", { title: "groove: Use a tool", body: "tests" }],
  ["permission", { agent: "tests", kind: "constructor" }, "", { title: "groove: Use a tool", body: "tests" }],
  ["message.held", { from: "SECRET", to: "frontend", text: "SECRET", peer: "k7" }, "vps", { title: "groove: Message held", body: "frontend, vps" }],
  ["job.proposed", { opener: "k7", title: "SECRET", goal: "SECRET" }, "vps", { title: "groove: Allow a contract", body: "vps" }],
  ["pair.words", { words: ["SECRET"], name: "SECRET", address: "SECRET" }, "", { title: "groove: Compare five words", body: "A question waits for you." }],
])("a note of %s says names alone", (kind, detail, peer, want) => {
  const got = sayOf(ask(kind, detail), peer);
  expect(got).toEqual(want);
  expect(JSON.stringify(got)).not.toContain("SECRET");
});
