export type DiffLine = { sort: " " | "+" | "-" | "…"; text: string };

const context = 3;
const most = 2000;

/** The lines that changed with three around them. Common beginnings and ends are cut first, so that small changes of long files are cheap. */
export function lines(before: string, after: string): DiffLine[] {
  const a = before === "" ? [] : before.split("\n");
  const b = after === "" ? [] : after.split("\n");
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const middle = inner(a.slice(head, a.length - tail), b.slice(head, b.length - tail));
  const out: DiffLine[] = [];
  if (head > context) out.push({ sort: "…", text: `${head - context} lines as before` });
  for (const text of a.slice(Math.max(0, head - context), head)) out.push({ sort: " ", text });
  out.push(...middle.slice(0, most));
  if (middle.length > most) out.push({ sort: "…", text: `${middle.length - most} lines more` });
  for (const text of a.slice(a.length - tail, a.length - tail + context)) out.push({ sort: " ", text });
  if (tail > context) out.push({ sort: "…", text: `${tail - context} lines as before` });
  return out;
}

/** The longest common subsequence, for pieces of a size that is worth it. */
function inner(a: string[], b: string[]): DiffLine[] {
  const out: DiffLine[] = [];
  if (a.length * b.length > 400_000) {
    for (const text of a) out.push({ sort: "-", text });
    for (const text of b) out.push({ sort: "+", text });
    return out;
  }
  const width = b.length + 1;
  const table = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      table[i * width + j] = a[i] === b[j] ? table[(i + 1) * width + j + 1]! + 1 : Math.max(table[(i + 1) * width + j]!, table[i * width + j + 1]!);
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      out.push({ sort: " ", text: a[i]! });
      i++;
      j++;
    } else if (i < a.length && (j >= b.length || table[(i + 1) * width + j]! >= table[i * width + j + 1]!)) out.push({ sort: "-", text: a[i++]! });
    else out.push({ sort: "+", text: b[j++]! });
  }
  return out;
}
