import { expect, test } from "vitest";
import type { Setting } from "./queries";
import { above, editable, textOf, toSend, written } from "./setting";

const of = (s: Partial<Setting>): Setting => ({ key: "rate", value: 100, origin: "default", ...s });

test.each([
  ["a list", ["a", "b"], "a, b"],
  ["no list", [], ""],
  ["a number", 100, "100"],
  ["a switch", false, "false"],
  ["nothing", null, ""],
])("%s is typed as a person would", (_, value, text) => expect(textOf(value)).toBe(text));

test("the field begins with what is written, not with what holds", () => {
  expect(written(of({ next: { value: 50, origin: "/h/config.toml:2" } }))).toBe("50");
  expect(written(of({}))).toBe("100");
});

test("a list that was emptied is sent as one", () => {
  expect(toSend(of({ value: ["a"] }), " ")).toBe("[]");
  expect(toSend(of({ value: "x" }), " y ")).toBe("y");
});

test("a flag and a variable stand over the file", () => {
  expect(above(of({ origin: "flag --rate" }))).toBe("flag --rate");
  expect(above(of({ origin: "GROOVE_RATE" }))).toBe("GROOVE_RATE");
  expect(above(of({ origin: "/h/config.toml:12" }))).toBeUndefined();
  expect(above(of({}))).toBeUndefined();
});

test("a page writes no command lines", () => {
  expect(editable(of({ key: "programs.x.command" }))).toBe(false);
  expect(editable(of({}))).toBe(true);
});
