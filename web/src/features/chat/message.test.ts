import { expect, test } from "vitest";
import { partsOf } from "./message";

test("a long text is cut at ends of lines, and nothing of it is lost", () => {
  const text = Array.from({ length: 2_000 }, (_, n) => "line " + n).join("\n");
  const parts = partsOf(text);
  expect(parts.length).toBeGreaterThan(3);
  expect(parts.join("\n")).toBe(text);
});

test("a line stays whole, however long", () => expect(partsOf("x".repeat(50_000))).toEqual(["x".repeat(50_000)]));
