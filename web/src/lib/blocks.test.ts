import { expect, test } from "vitest";
import { blocks } from "./blocks";

const rows: [string, string, string[]][] = [
  ["paragraphs stand alone", "a\nb\n\nc", ["a\nb\n", "c"]],
  ["code holds blank lines", "x\n\n```go\na\n\nb\n```\n\ny", ["x\n", "```go\na\n\nb\n```\n", "y"]],
  ["a shorter fence ends nothing", "````\n```\n\na\n````\n\nb", ["````\n```\n\na\n````\n", "b"]],
  ["code that has not ended is one block", "```\na\n\nb\n\nc", ["```\na\n\nb\n\nc"]],
  ["a list with gaps is one list", "- a\n\n- b\n\n  more of b\n\nc", ["- a\n\n- b\n\n  more of b\n", "c"]],
  ["numbers go on", "1. a\n\n2. b", ["1. a\n\n2. b"]],
  ["a defined link is known everywhere", "[a]\n\nb\n\n[a]: https://example.com", ["[a]\n\nb\n\n[a]: https://example.com"]],
];

test.each(rows)("%s", (_, text, want) => {
  expect(blocks(text)).toEqual(want);
  expect(blocks(text).join("\n")).toBe(text); // nothing is lost
});

test("a text that grows changes its last block alone", () => {
  const text = "one\n\ntwo\n\n- three\n\nfour";
  for (let n = 1; n < text.length; n++) {
    const before = blocks(text.slice(0, n)).slice(0, -1);
    expect(blocks(text.slice(0, n + 1)).slice(0, before.length)).toEqual(before);
  }
});
