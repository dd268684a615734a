import { expect, test } from "vitest";
import type { Mail } from "~/api/client";
import { brief, stepsOf, timeTo } from "./steps";

const at = (s: number) => new Date(Date.UTC(2026, 3, 12, 14, 2, s)).toISOString();
const mail = (m: Partial<Mail>): Mail => ({ pos: 1, id: "a", direction: "out", from: "a", to: "b", at: at(0), text: "", state: "queued", ...m }) as Mail;
const flat = (m: Mail) => stepsOf(m).map((s) => `${s.name}${s.passed ? "" : "?"}${s.at ? "@" + (Date.parse(s.at) - Date.parse(m.at)) / 1000 : ""}${s.own ? "" : "~"}`).join(" ");

test.each([
  ["what waits has come one step", mail({}), "queued@0 stored?~ delivered?~ started?~ answered?~"],
  ["each step has its time", mail({ state: "started", steps: [{ state: "queued", at: at(0) }, { state: "stored", at: at(1) }, { state: "delivered", at: at(2) }, { state: "started", at: at(3) }] }), "queued@0 stored@1 delivered@2 started@3 answered?~"],
  ["receipts that came together have the time of the last", mail({ state: "answered", steps: [{ state: "stored", at: at(1) }, { state: "answered", at: at(9) }] }), "queued@0 stored@1 delivered@9~ started@9~ answered@9"],
  ["times that are not kept are none", mail({ state: "delivered", steps: [] }), "queued@0 stored~ delivered~ started?~ answered?~"],
  ["held is not stored", mail({ state: "held", steps: [{ state: "held", at: at(1) }] }), "queued@0 stored?~ delivered?~ started?~ answered?~"],
  ["what was refused after it was stored", mail({ state: "refused", steps: [{ state: "stored", at: at(1) }, { state: "refused", at: at(2) }] }), "queued@0 stored@1 delivered?~ started?~ answered?~"],
  ["what came in begins stored", mail({ direction: "in", state: "started", steps: [{ state: "stored", at: at(0) }, { state: "delivering", at: at(1) }, { state: "started", at: at(2) }] }), "stored@0 delivered@2~ started@2 answered?~"],
])("%s", (_, m, want) => expect(flat(m)).toBe(want));

test("the time to a step is measured or none", () => {
  const m = mail({ state: "answered", steps: [{ state: "answered", at: at(48) }] });
  expect([timeTo(m, "answered"), timeTo(m, "delivered"), timeTo(mail({}), "delivered"), timeTo(mail({ state: "delivered" }), "delivered")]).toEqual([48_000, 48_000, undefined, undefined]);
});

test.each([
  [0, "0 ms"],
  [999, "999 ms"],
  [1240, "1.2 s"],
  [48_000, "48 s"],
  [61_000, "1 min 1 s"],
  [3_660_000, "1 h 1 min"],
])("%d ms are %s", (ms, said) => expect(brief(ms)).toBe(said));
