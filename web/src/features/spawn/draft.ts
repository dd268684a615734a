import type { components } from "~/api/schema";

export type SpawnRequest = components["schemas"]["SpawnRequest"];
export type LinkRequest = components["schemas"]["LinkRequest"];
export type Rule = components["schemas"]["Rule"];
export type Bound = "cost" | "tokens" | "turns";

/** What the dialog holds: fields as they are typed. */
export type Draft = {
  role: string;
  name: string; // "" = the proposed one
  program: string; // "" = the best one there is
  script: string;
  dir: string;
  scope: string; // a glob in each line
  task: string;
  budget: string;
  bound: Bound;
  worktree: boolean;
  sandbox: boolean;
  model: string;
  mode: string;
  team: string;
  title: string;
  rotateAt: string;
  rules: Rule[];
  linked: boolean;
  peer: string;
  link: "ambassador" | "direct";
  agents: string[] | undefined; // undefined = the living ones that the peer shows
  others: string; // of the peer, by name
  hours: string;
  idle: string; // minutes
  keepAlive: boolean;
};

export const empty: Draft = {
  role: "",
  name: "",
  program: "",
  script: "",
  dir: "",
  scope: "",
  task: "",
  budget: "",
  bound: "cost",
  worktree: false,
  sandbox: false,
  model: "",
  mode: "",
  team: "",
  title: "",
  rotateAt: "",
  rules: [],
  linked: false,
  peer: "",
  link: "direct",
  agents: undefined,
  others: "",
  hours: "2",
  idle: "15",
  keepAlive: false,
};

/** The first of NAME-1, NAME-2, … that nobody bears or has borne. */
export function freeName(role: string, taken: readonly string[]): string {
  const base = (role || "agent").slice(0, 58);
  const all = new Set(taken);
  for (let i = 1; ; i++) {
    if (!all.has(`${base}-${i}`)) return `${base}-${i}`;
  }
}

/** Why a name is none, "" where it is one. */
export function nameFault(name: string, taken: readonly string[]): string {
  if (!/^[a-z0-9][a-z0-9._-]{0,62}$/.test(name)) return "It takes a-z, 0-9, and after the first . _ -, at most 63";
  if (name === "user") return "user is you";
  if (taken.includes(name)) return `An agent ${name} exists`;
  return "";
}

export function globsOf(text: string): string[] {
  return text
    .split("\n")
    .map((l) => l.trim())
    .filter(Boolean);
}

export function namesOf(text: string): string[] {
  return [...new Set(text.split(/[\s,]+/).filter(Boolean))];
}

/** The number in the text, 0 for what is none or not above 0. */
export function positive(text: string): number {
  const n = Number(text.trim().replace(",", "."));
  return Number.isFinite(n) && n > 0 ? n : 0;
}

/** A path with the home as ~. */
export function short(path: string, home: string | undefined): string {
  if (!home || home === "/") return path;
  return path === home ? "~" : path.startsWith(home + "/") ? "~" + path.slice(home.length) : path;
}

/** What is typed of a path: the folder that is complete, and the beginning of a name in it. */
export function splitPath(path: string): { parent: string; begun: string } {
  const at = path.lastIndexOf("/");
  if (at < 0) return { parent: path === "~" ? "~" : "", begun: path === "~" ? "" : path };
  return { parent: path.slice(0, at) || "/", begun: path.slice(at + 1) };
}

/** The absolute path of what may be written with ~. */
export function long(path: string, home: string | undefined): string {
  const p = path.trim().replace(/(?<=.)\/+$/, "");
  if (home && (p === "~" || p.startsWith("~/"))) return home + p.slice(1);
  return p;
}

function unlessEmpty(text: string): string | undefined {
  return text.trim() || undefined;
}

/** What another role changes: an ambassador is for a peer, and who stops being one is not. */
export function cast(d: Draft, role: string, firstPeer: string): Partial<Draft> {
  if (role === "ambassador") return { role, linked: firstPeer !== "" || d.linked, link: "ambassador", peer: d.peer || firstPeer };
  return d.role === "ambassador" ? { role, linked: false, link: "direct", agents: undefined } : { role };
}

/** The link that a draft asks for; undefined where it asks for none yet. */
export function linkOf(d: Draft): LinkRequest | undefined {
  if (!d.linked || !d.peer) return undefined;
  const named = [...(d.agents ?? []), ...namesOf(d.others)];
  const agents = d.agents === undefined && named.length === 0 ? undefined : named;
  return {
    peer: d.peer,
    agents,
    mode: d.link,
    ttl: positive(d.hours) ? Math.round(positive(d.hours) * 3600) : undefined,
    idle: positive(d.idle) ? Math.round(positive(d.idle) * 60) : undefined,
    keepAlive: d.keepAlive,
  };
}

/** The request of a draft whose name and program are settled. */
export function requestOf(d: Draft, name: string, program: string, home: string | undefined): SpawnRequest {
  const budget = positive(d.budget);
  const globs = globsOf(d.scope);
  return {
    name,
    program: program || undefined,
    script: program === "scripted" ? unlessEmpty(long(d.script, home)) : undefined,
    dir: long(d.dir, home),
    scope: globs.length > 0 ? globs : undefined,
    role: d.role || undefined,
    title: unlessEmpty(d.title),
    task: unlessEmpty(d.task),
    team: unlessEmpty(d.team),
    model: unlessEmpty(d.model),
    mode: unlessEmpty(d.mode),
    rotateAt: positive(d.rotateAt) ? Math.round(positive(d.rotateAt)) : undefined,
    sandbox: d.sandbox || undefined,
    worktree: d.worktree || undefined,
    rules: d.rules.length > 0 ? d.rules.map((r) => ({ ...r, pattern: r.pattern?.trim() || undefined })) : undefined,
    budget: budget ? { [d.bound]: d.bound === "cost" ? budget : Math.round(budget) } : undefined,
    link: linkOf(d),
  };
}

/** What a draft still lacks, in words for a button that waits; "" where nothing. */
export function lacks(d: Draft, name: string, program: string, taken: readonly string[]): string {
  const fault = nameFault(name, taken);
  if (fault) return `The name: ${fault}`;
  if (!program) return "Choose a program that is installed";
  if (program === "scripted" && !d.script.trim()) return "Name the script to play";
  if (!d.dir.trim()) return "Choose a directory";
  if (!d.linked) return d.role === "ambassador" ? "An ambassador speaks with a peer: choose one" : "";
  if (!d.peer) return "Choose the peer to connect to";
  const named = [...(d.agents ?? []), ...namesOf(d.others)];
  if (d.link === "direct" && named.length !== 1) return "A direct link is to one agent: choose it";
  if (d.agents !== undefined && named.length === 0) return "Choose which of the peer's agents take part";
  return "";
}
