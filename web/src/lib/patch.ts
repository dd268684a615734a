// A unified diff, as git writes it, as rows with line numbers. Its text is an agent's: whatever
// is no hunk is left out or shown as it stands.

export type PatchRow = { sort: "hunk" | " " | "+" | "-" | "note"; text: string; before?: number; after?: number };

const head = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@ ?(.*)$/;
const most = 5000;

export function rowsOf(diff: string): { rows: PatchRow[]; more: number } {
  const rows: PatchRow[] = [];
  const lines = diff.split("\n");
  if (lines.at(-1) === "") lines.pop();
  let before = 0;
  let after = 0;
  let left = 0; // of the hunk: what it says that it has
  let right = 0;
  for (const line of lines) {
    if (left <= 0 && right <= 0) {
      const m = head.exec(line);
      if (m) {
        before = Number(m[1]);
        after = Number(m[3]);
        left = Number(m[2] ?? 1);
        right = Number(m[4] ?? 1);
        rows.push({ sort: "hunk", text: line });
      } else if (line.startsWith("Binary files ")) rows.push({ sort: "note", text: "A binary file: it has no lines." });
      else if (line.startsWith("\\ ")) rows.push({ sort: "note", text: line.slice(2) });
      else if (/^(old mode|new mode|Submodule) /.test(line)) rows.push({ sort: "note", text: line });
      continue;
    }
    const text = line.slice(1);
    if (line.startsWith("+")) {
      rows.push({ sort: "+", text, after: after++ });
      right--;
    } else if (line.startsWith("-")) {
      rows.push({ sort: "-", text, before: before++ });
      left--;
    } else if (line.startsWith("\\ ")) rows.push({ sort: "note", text });
    else {
      rows.push({ sort: " ", text, before: before++, after: after++ });
      left--;
      right--;
    }
  }
  return { rows: rows.slice(0, most), more: Math.max(0, rows.length - most) };
}
