const definition = /^ {0,3}\[[^\]]+\]:/m;
const fence = /^ {0,3}(`{3,}|~{3,})/;
/** What goes on with the block before it, a blank line between them or not. */
const goesOn = /^(\s|[-*+](\s|$)|\d{1,9}[.)](\s|$)|>|\|)/;

/**
 * Cuts Markdown into blocks that mean alone what they mean together, so that of a text that
 * grows the last block alone is read anew. A text that defines links or footnotes is one.
 */
export function blocks(text: string): string[] {
  if (definition.test(text)) return [text];
  const out: string[] = [];
  let now: string[] = [];
  let open = ""; // the fence of a code block
  let blank = false;
  for (const line of text.split("\n")) {
    const mark = fence.exec(line)?.[1];
    if (!open && blank && line.trim() && !goesOn.test(line)) {
      out.push(now.join("\n"));
      now = [];
    }
    if (mark && !open) open = mark;
    else if (mark && open && mark[0] === open[0] && mark.length >= open.length && line.trim() === mark) open = "";
    blank = !open && !line.trim();
    now.push(line);
  }
  out.push(now.join("\n"));
  return out;
}
