import type { Approval } from "~/api/client";
import type { Diff } from "~/lib/transcript";

/** What a question's detail tells, whatever its kind. It may come from a program or a peer: only its text is used. */
export type Detail = {
  words: string[];
  plain: string;
  command: string;
  paths: string[];
  diffs: Diff[];
  texts: string[];
  facts: [string, string][];
  options: { id: string; name: string; allow: boolean }[];
  /** The rule that a yes, or a no, which is remembered leaves; "" where it would leave none. */
  remember: string;
  forbid: string;
};

type Value = Record<string, unknown>;
const isObject = (v: unknown): v is Value => typeof v === "object" && v !== null && !Array.isArray(v);
const str = (v: unknown): string => (typeof v === "string" ? v : typeof v === "number" || typeof v === "boolean" ? String(v) : "");
const list = (v: unknown): unknown[] => (Array.isArray(v) ? v : []);

const longest = 20_000;
const hidden = new Set(["words", "plain", "command", "paths", "diffs", "texts", "text", "options", "toolCall", "sessionId", "messages", "raw", "_meta", "title", "code", "cut", "remember", "forbid", "decided", "input", "contract", "tool"]);

export function read(a: Approval): Detail {
  const d = isObject(a.detail) ? a.detail : {};
  const call = isObject(d.toolCall) ? d.toolCall : {};
  const input = isObject(call.rawInput) ? call.rawInput : {};
  const content = list(call.content).filter(isObject);
  const contract = isObject(d.contract) ? d.contract : undefined;
  return {
    words: list(d.words).map(str).filter(Boolean),
    plain: str(a.words),
    command: (str(d.command) || str(input.command) || list(input.command).map(str).join(" ")).slice(0, longest),
    paths: unique([...list(d.paths).map(str), ...list(call.locations).filter(isObject).map((l) => str(l.path))]),
    diffs: [...list(d.diffs), ...content.filter((c) => c.type === "diff")]
      .filter(isObject)
      .map((c) => ({ path: str(c.path), before: str(c.oldText ?? c.old), after: str(c.newText ?? c.new) }))
      .slice(0, 20),
    texts: [str(d.text), ...list(d.texts).map(str), ...list(d.messages).filter(isObject).map((m) => str(m.text))].filter(Boolean).map((t) => t.slice(0, longest)),
    facts: Object.entries({ ...d, ...contract })
      .filter(([k]) => !hidden.has(k) && k !== "contract")
      .map(([k, v]): [string, string] => [k, fact(v)])
      .filter(([, v]) => v !== ""),
    options: list(d.options).filter(isObject).map((o) => ({ id: str(o.optionId ?? o.id), name: str(o.name), allow: str(o.kind).startsWith("allow") })),
    remember: rule(d.remember),
    forbid: rule(d.forbid),
  };
}

function rule(v: unknown): string {
  return isObject(v) ? [str(v.answer), [str(v.kind), str(v.pattern)].filter(Boolean).join(":")].join(" ") : "";
}

function fact(v: unknown): string {
  if (isObject(v)) return Object.entries(v).map(([k, x]) => `${k}: ${fact(x)}`).join(", ").slice(0, 2000);
  return (Array.isArray(v) ? v.map(fact).join(", ") : str(v)).slice(0, 2000);
}

function unique(all: string[]): string[] {
  return [...new Set(all.filter(Boolean))].slice(0, 100);
}
