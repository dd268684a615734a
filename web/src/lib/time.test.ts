import { expect, test } from "vitest";
import { span } from "./time";

test.each([
  [0, "0 s"],
  [-5, "0 s"],
  [59_999, "59 s"],
  [60_000, "1 min"],
  [14 * 60_000 + 30_000, "14 min"],
  [2 * 3600_000 + 5 * 60_000, "2 h 5 min"],
  [2 * 3600_000, "2 h"],
  [3 * 86400_000 + 4 * 3600_000 + 7 * 60_000, "3 d 4 h"],
])("%d ms are %s", (ms, said) => expect(span(ms)).toBe(said));
