// What an agent's program said, as the daemon recorded it: one JSON line an update. The lines
// are hostile data: whatever does not look as expected is left out or shown as text.

export type ToolState = "pending" | "in_progress" | "completed" | "failed";

export type Diff = { path: string; before: string; after: string };

export type Item =
  | { kind: "said"; key: string; at: string; text: string }
  | { kind: "thought"; key: string; at: string; text: string }
  | { kind: "tool"; key: string; at: string; id: string; title: string; sort: string; state: ToolState; text: string; paths: string[]; diffs: Diff[]; input: string }
  | { kind: "plan"; key: string; at: string; entries: { text: string; state: string }[] }
  | { kind: "prompt"; key: string; at: string; text: string }
  | { kind: "used"; key: string; at: string; turn: number; contextUsed: number | undefined; contextSize: number | undefined }
  | { kind: "stop"; key: string; at: string; turn: number; why: string }
  | { kind: "dropped"; key: string; at: string; text: string };

/** What a page keeps of a conversation: entries, and letters in them. */
export const most = { items: 2_000, size: 1_000_000 };

function weight(i: Item): number {
  switch (i.kind) {
    case "tool":
      return i.text.length + i.input.length + i.diffs.reduce((n, d) => n + d.before.length + d.after.length, 0);
    case "plan":
      return i.entries.reduce((n, e) => n + e.text.length, 0);
    case "used":
    case "stop":
      return 0;
    default:
      return i.text.length;
  }
}

type Value = { [k: string]: unknown };

const isObject = (v: unknown): v is Value => typeof v === "object" && v !== null && !Array.isArray(v);
const text = (v: unknown): string => (typeof v === "string" ? v : "");
const list = (v: unknown): unknown[] => (Array.isArray(v) ? v : []);

/** Grows with each piece of output. Items keep their identity until they change. */
export class Transcript {
  items: Item[] = [];
  private rest = "";
  private tools = new Map<string, number>();
  private n = 0;

  /** Takes the next piece, which may end in the middle of a line. */
  feed(data: string): void {
    const lines = (this.rest + data).split("\n");
    this.rest = lines.pop() ?? "";
    if (lines.length > 0) this.items = this.items.slice();
    for (const line of lines) this.line(line);
    this.trim();
  }

  /** A page that is open for days keeps the end of a conversation; all of it is in the session's file. */
  private trim(): void {
    let size = this.items.reduce((sum, i) => sum + weight(i), 0);
    if (this.items.length <= most.items && size <= most.size) return;
    let cut = 0;
    while (cut < this.items.length - 1 && (this.items.length - cut > 0.8 * most.items || size > 0.8 * most.size)) size -= weight(this.items[cut++]!);
    const rest = this.items.slice(cut);
    this.items = [{ kind: "dropped", key: "before", at: rest[0]!.at, text: "What was said before is not kept on this page. Save the session, on the Monitor tab, to read all of it." }, ...rest];
    this.tools = new Map(this.items.flatMap((item, i) => (item.kind === "tool" ? [[item.id, i] as const] : [])));
  }

  private line(line: string): void {
    let v: unknown;
    try {
      v = JSON.parse(line);
    } catch {
      return;
    }
    if (!isObject(v)) return;
    const at = text(v.at);
    if (isObject(v.update)) this.update(v.update, at);
    else if (isObject(v.prompt)) this.put({ kind: "prompt", key: this.key(), at, text: text(v.prompt.text) });
    else if (typeof v.prompt === "string") this.put({ kind: "prompt", key: this.key(), at, text: v.prompt });
    else if (typeof v.turn === "number" && isObject(v.used)) this.put({ kind: "used", key: this.key(), at, turn: v.turn, contextUsed: count(v.used.contextUsed), contextSize: count(v.used.contextSize) });
    else if (typeof v.turn === "number") this.put({ kind: "stop", key: this.key(), at, turn: v.turn, why: text(v.stop) });
    else if (typeof v.dropped === "string") this.put({ kind: "dropped", key: this.key(), at, text: v.dropped });
  }

  private update(u: Value, at: string): void {
    switch (u.sessionUpdate) {
      case "agent_message_chunk":
        return this.append("said", at, chunk(u.content));
      case "agent_thought_chunk":
        return this.append("thought", at, chunk(u.content));
      case "tool_call":
      case "tool_call_update":
        return this.tool(u, at);
      case "plan":
        return this.put({
          kind: "plan",
          key: this.key(),
          at,
          entries: list(u.entries).filter(isObject).map((e) => ({ text: text(e.content), state: text(e.status) })),
        });
    }
  }

  private append(kind: "said" | "thought", at: string, more: string): void {
    if (!more) return;
    const last = this.items.at(-1);
    if (last?.kind === kind) this.items[this.items.length - 1] = { ...last, text: last.text + more };
    else this.put({ kind, key: this.key(), at, text: more });
  }

  private tool(u: Value, at: string): void {
    const id = text(u.toolCallId);
    const i = this.tools.get(id);
    const old = i === undefined ? undefined : this.items[i];
    const before = old?.kind === "tool" ? old : undefined;
    const said = list(u.content).filter(isObject);
    const now: Item = {
      kind: "tool",
      key: before?.key ?? this.key(),
      at: before?.at ?? at,
      id,
      title: text(u.title) || before?.title || "tool",
      sort: text(u.kind) || before?.sort || "other",
      state: state(u.status) ?? before?.state ?? "pending",
      text: said.map((c) => chunk(c.content)).join("") || before?.text || "",
      paths: orOld(list(u.locations).filter(isObject).map((l) => text(l.path)).filter(Boolean), before?.paths),
      diffs: orOld(
        said.filter((c) => c.type === "diff").map((c) => ({ path: text(c.path), before: text(c.oldText), after: text(c.newText) })),
        before?.diffs,
      ),
      input: isObject(u.rawInput) ? JSON.stringify(u.rawInput, null, 2) : (before?.input ?? ""),
    };
    if (before && i !== undefined) this.items[i] = now;
    else {
      this.tools.set(id, this.items.length);
      this.put(now);
    }
  }

  private put(item: Item): void {
    this.items.push(item);
  }

  private key(): string {
    return String(this.n++);
  }
}

const count = (v: unknown): number | undefined => (typeof v === "number" && v >= 0 ? v : undefined);

function orOld<T>(now: T[], old: T[] | undefined): T[] {
  return now.length > 0 ? now : (old ?? []);
}

function chunk(content: unknown): string {
  return isObject(content) && content.type === "text" ? text(content.text) : "";
}

function state(v: unknown): ToolState | undefined {
  return v === "pending" || v === "in_progress" || v === "completed" || v === "failed" ? v : undefined;
}
