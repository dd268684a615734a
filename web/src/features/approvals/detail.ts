import type { Approval } from "~/api/client";
import type { Diff } from "~/lib/transcript";
import { own } from "~/lib/own";

export type Quote = { from: string; at: string; text: string };

/** What a question's detail tells, whatever its kind. It may come from a program or a peer: only its text is used. */
export type Detail = {
  agent: string;
  /** What a program wants to do: read, edit, execute, … */
  sort: string;
  job: string;
  /** A peer by its ID, or by what its user calls it here. */
  peer: string;
  peerName: string;
  words: string[];
  plain: string;
  command: string;
  input: string;
  paths: string[];
  outside: string[];
  diffs: Diff[];
  quotes: Quote[];
  tainted: string[];
  /** Why it is asked, as a code: rule, default, git, taint, unclear, none. */
  code: string;
  cut: boolean;
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
/** Shown in a place of their own. */
const placed = new Set(["agent", "jobId", "peer", "words", "plain", "command", "paths", "outside", "diffs", "texts", "text", "options", "toolCall", "sessionId", "messages", "raw", "_meta", "title", "code", "cut", "remember", "forbid", "decided", "input", "contract", "tainted", "kind"]);
const names: Record<string, string> = {
  reason: "Why it asks",
  tool: "Tool",
  program: "Program",
  from: "From",
  to: "To",
  why: "Why",
  ttlAt: "New end",
  name: "It calls itself",
  address: "Address",
  scope: "Its scope",
  turns: "In turns",
  more: "More files",
  quietSeconds: "Quiet for, s",
  spent: "Spent",
  budget: "Budget",
  usage: "Usage",
};
/** Of a contract that its plain words say. */
const said = new Set(["opener", "title", "goal", "mode", "openerAgents", "peerAgents", "types", "coordinate", "project", "paths", "arbiter", "ttl", "idle", "keepAlive", "rate", "budget", "record", "created"]);
const optionNames: Record<string, [string, boolean]> = { raise: ["As much again", true], keep: ["Leave it paused", false], end: ["End it", false] };

export function read(a: Approval): Detail {
  const d = isObject(a.detail) ? a.detail : {};
  const call = isObject(d.toolCall) ? d.toolCall : {};
  const input = isObject(call.rawInput) ? call.rawInput : {};
  const content = list(call.content).filter(isObject);
  const asked = a.kind === "permission";
  return {
    agent: str(d.agent) || (a.kind === "message.held" ? str(d.to) : ""),
    sort: asked ? str(d.kind) : "",
    job: str(d.jobId),
    peer: a.kind === "job.proposed" ? str(d.opener) : a.kind === "turn.held" ? "" : str(d.peer),
    peerName: a.kind === "turn.held" ? str(d.peer) : "",
    words: list(d.words).map(str).filter(Boolean),
    plain: str(a.words),
    command: (str(d.command) || str(input.command) || list(input.command).map(str).join(" ")).slice(0, longest),
    input: asked ? str(d.input).slice(0, longest) : "",
    paths: unique([...(a.kind === "job.proposed" ? [] : list(d.paths).map(str)), ...list(call.locations).filter(isObject).map((l) => str(l.path))]),
    outside: unique(list(d.outside).map(str)),
    diffs: [...list(d.diffs), ...content.filter((c) => c.type === "diff")]
      .filter(isObject)
      .map((c) => ({ path: str(c.path), before: str(c.oldText ?? c.old), after: str(c.newText ?? c.new) }))
      .slice(0, 20),
    quotes: [
      ...[str(d.text), ...list(d.texts).map(str)].map((text) => ({ from: str(d.from), at: "", text })),
      ...list(d.messages).filter(isObject).map((m) => ({ from: str(m.from), at: str(m.at), text: str(m.text) })),
    ]
      .filter((q) => q.text)
      .map((q) => ({ ...q, text: q.text.slice(0, longest) })),
    tainted: unique(list(d.tainted).map(str)),
    code: str(d.code),
    cut: d.cut === true,
    facts: Object.entries(d)
      .filter(([k]) => !placed.has(k) && !(a.kind === "job.proposed" && said.has(k)))
      .map(([k, v]): [string, string] => [own(names, k) ?? k, k === "ttlAt" ? date(v) : fact(v)])
      .filter(([, v]) => v !== ""),
    options: list(d.options).flatMap((o) => (isObject(o) ? [{ id: str(o.optionId ?? o.id), name: str(o.name), allow: str(o.kind).startsWith("allow") }] : typeof o === "string" ? choice(o) : [])),
    remember: rule(d.remember),
    forbid: rule(d.forbid),
  };
}

function choice(id: string): Detail["options"] {
  const known = own(optionNames, id);
  return known ? [{ id, name: known[0], allow: known[1] }] : [];
}

function date(v: unknown): string {
  const at = new Date(str(v));
  return Number.isNaN(at.getTime()) ? str(v) : at.toLocaleString();
}

function rule(v: unknown): string {
  return isObject(v) ? [str(v.answer), [str(v.kind), str(v.pattern)].filter(Boolean).join(":")].join(" ") : "";
}

function fact(v: unknown): string {
  if (isObject(v)) return Object.entries(v).map(([k, x]) => `${k}: ${fact(x)}`).join(", ").slice(0, 2000);
  return (Array.isArray(v) ? v.map(fact).join(", ") : str(v)).slice(0, 2000);
}

function unique(all: string[]): string[] {
  return [...new Set(all.filter(Boolean))].slice(0, 200);
}
