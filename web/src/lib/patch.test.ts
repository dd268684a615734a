import { expect, test } from "vitest";
import { rowsOf } from "./patch";

const flat = (diff: string) => rowsOf(diff).rows.map((r) => `${r.sort}|${r.before ?? ""}|${r.after ?? ""}|${r.text}`);

test("lines have the numbers of both sides", () => {
  expect(flat("diff --git a/x b/x\nindex 1..2 100644\n--- a/x\n+++ b/x\n@@ -4,3 +4,3 @@ func f()\n a\n-b\n+B\n c\n")).toEqual(["hunk|||@@ -4,3 +4,3 @@ func f()", " |4|4|a", "-|5||b", "+||5|B", " |6|6|c"]);
});

test("what looks like a head inside a hunk is a line of the file", () => {
  expect(flat("--- a/x\n+++ b/x\n@@ -1 +1,2 @@\n-@@ -1 +1 @@\n+++ b\n+--- a\n")).toEqual(["hunk|||@@ -1 +1,2 @@", "-|1||@@ -1 +1 @@", "+||1|++ b", "+||2|--- a"]);
});

test.each([
  ["nothing", "", []],
  ["a binary file", "diff --git a/p b/p\nBinary files a/p and b/p differ\n", ["note|||A binary file: it has no lines."]],
  ["no newline at the end", "@@ -0,0 +1 @@\n+x\n\\ No newline at end of file\n", ["hunk|||@@ -0,0 +1 @@", "+||1|x", "note|||No newline at end of file"]],
  ["a mode", "old mode 100644\nnew mode 100755\n", ["note|||old mode 100644", "note|||new mode 100755"]],
])("%s", (_, diff, want) => expect(flat(diff)).toEqual(want));

test("a huge change is cut, and says by how much", () => {
  const { rows, more } = rowsOf("@@ -0,0 +1,6000 @@\n" + "+x\n".repeat(6000));
  expect([rows.length, more]).toEqual([5000, 1001]);
});
