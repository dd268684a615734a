import { expect, test } from "vitest";
import { bytes, compact, money, number, took, trip } from "./figures";

test.each([
  [0, "0 ms"],
  [999, "999 ms"],
  [1000, "1.0 s"],
  [41_400, "41 s"],
  [60_000, "1 min"],
  [185_000, "3 min 5 s"],
  [3_725_000, "1 h 2 min"],
])("%d ms took %s", (ms, text) => expect(took(ms)).toBe(text));

test("figures are short, and what nobody reported has none", () => {
  expect([compact(1_940_000), compact(300_000), compact(12)]).toEqual(["1.94 M", "300 k", "12"]);
  expect([money(4.18, "USD"), money(0.004, "USD"), money(2, "EUR"), money(undefined, "USD")]).toEqual(["$4.18", "$0.0040", "2.00 EUR", "not reported"]);
  expect([number(undefined), number(12_345)]).toEqual(["not reported", "12,345"]);
  expect([trip(0.42), trip(18.2)]).toEqual(["0.4 ms", "18 ms"]);
  expect([bytes(2000), bytes(31 << 20), bytes(3 * 2 ** 30)]).toEqual(["2 KiB", "31.0 MiB", "3.0 GiB"]);
});
