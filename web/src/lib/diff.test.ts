import { expect, test } from "vitest";
import { lines } from "./diff";

const flat = (a: string, b: string) => lines(a, b).map((l) => l.sort + l.text);

test.each([
  ["a new file", "", "x\ny", ["+x", "+y"]],
  ["a removed one", "x", "", ["-x"]],
  ["nothing", "x\ny", "x\ny", [" x", " y"]],
  ["a line in between", "a\nb\nc", "a\nB\nc", [" a", "-b", "+B", " c"]],
  ["far from the ends", "1\n2\n3\n4\n5\n6", "1\n2\n3\n4\n5\n7", ["…2 lines as before", " 3", " 4", " 5", "-6", "+7"]],
])("%s", (_, before, after, want) => expect(flat(before, after)).toEqual(want));

test("whatever changes, the parts give both texts again", () => {
  const a = "a b c d e f g".split(" ").join("\n");
  const b = "x b c e g h".split(" ").join("\n");
  const all = lines(a, b);
  expect(all.filter((l) => l.sort !== "+").map((l) => l.text).join("\n")).toBe(a);
  expect(all.filter((l) => l.sort !== "-").map((l) => l.text).join("\n")).toBe(b);
});
