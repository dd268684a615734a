import { expect, test } from "vitest";
import type { Pairing } from "~/api/client";
import { check, passage } from "./rooms";

const short = { passed: "+", refused: "x", open: "." };
const of = (p: Partial<Pairing>) => passage(p as Pairing).map((s) => short[s]).join("");
const failed = (kind: string, peerId?: string) => of({ state: "failed", peerId, problem: { kind, status: 409, detail: "", title: "" } as Pairing["problem"] });

test.each([
  ["dialling", of({ state: "dialling" }), "......"],
  ["dialling again after words that differed", of({ state: "dialling", failures: 1, peerId: "k7", problem: { kind: "pair.wordsDiffer" } as Pairing["problem"] }), "++x..."],
  ["the words are shown", of({ state: "words" }), "+++..."],
  ["you said yes", of({ state: "waiting" }), "++++.."],
  ["paired", of({ state: "paired" }), "++++++"],
  ["never met", failed("pair.expired"), "x....."],
  ["the other user did not answer", failed("pair.expired", "k7"), "++++x."],
  ["somebody in between", failed("pair.badCommitment", "k7"), "++x..."],
  ["they differ", failed("pair.wordsDiffer", "k7"), "++x..."],
  ["another key", failed("tls.unknownKey"), "+x...."],
  ["the gate", failed("gate.notPaired"), "x....."],
  ["a kind that every object has", failed("constructor"), "x....."],
])("%s", (_, got, want) => expect(got).toBe(want));

test("typed words are held against the screen's one by one", () => {
  expect(check([" Maple", "", "orbit"], ["maple", "orbit", "velvet", "harvest", "canyon"])).toEqual(["same", "", "differs", "", ""]);
});
