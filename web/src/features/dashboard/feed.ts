// What has happened lately, newest first, from messages, questions and the record. Nothing here draws.
import type { Approval, Mail, Peer } from "~/api/client";

export type Entry = { n: number; at: string; event: string; agent?: string; peer?: string; job?: string; kind?: string; detail?: string };

export const isEntry = (v: unknown): v is Entry => typeof v === "object" && v !== null && typeof (v as Entry).n === "number" && typeof (v as Entry).event === "string";

export type Icon = "message" | "ask" | "answer" | "spawn" | "end" | "pause" | "job" | "bridge" | "peer" | "refuse" | "change";

/** A piece of a line: plain words, a name of this side, a name of a peer's side, or what somebody else wrote. */
export type Part = string | { here: string } | { there: string } | { quote: string };

export type News = { key: string; at: string; icon: Icon; parts: Part[]; times: number; job?: string };

type Known = { peers: Peer[]; jobs: { jobId: string; title: string }[] };

/** The newest that many. Equal lines that follow one another are one, with how often. */
export function feedOf(mail: Mail[], asked: Approval[], record: Entry[], known: Known, most: number): News[] {
  const all = [...mail.map(ofMail), ...asked.map(ofQuestion), ...record.flatMap((e) => ofEntry(e, known) ?? [])];
  all.sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0));
  const out: News[] = [];
  for (const n of all) {
    const last = out.at(-1);
    if (last && said(last) === said(n)) last.times++;
    else if (out.length === most) break;
    else out.push(n);
  }
  return out;
}

const said = (n: News): string => n.icon + JSON.stringify(n.parts);

function ofMail(m: Mail): News {
  const name = (who: string, there: boolean): Part => (there ? { there: who === "user" ? `the user of ${m.peerName || "the peer"}` : who } : who === "user" ? "you" : { here: who });
  const from = name(m.from, m.direction === "in");
  return { key: m.direction + m.id, at: m.at, icon: "message", parts: [from === "you" ? "You" : from, " wrote to ", name(m.to, m.direction === "out")], times: 1, ...(m.jobId && { job: m.jobId }) };
}

function ofQuestion(a: Approval): News {
  return { key: "q" + a.id, at: a.created, icon: "ask", parts: [{ quote: a.title }], times: 1 };
}

const line = (e: Entry, icon: Icon, ...parts: (Part | undefined | false | "")[]): News => ({ key: "r" + e.n, at: e.at, icon, parts: parts.filter((p): p is Part => p !== undefined && p !== false && p !== ""), times: 1, ...(e.job && { job: e.job }) });

/** What a row of the record says to its user; undefined of those that are told otherwise, or are no news. */
function ofEntry(e: Entry, known: Known): News | undefined {
  const peer = e.peer ? { there: known.peers.find((p) => p.id === e.peer)?.name ?? e.peer.slice(0, 8) } : undefined;
  const agent = { here: e.agent ?? "" };
  const title = known.jobs.find((j) => j.jobId === e.job)?.title;
  const job: Part = title ? { quote: title } : "a job";
  const why: Part[] = e.detail ? [": ", { quote: e.detail }] : [];
  switch (e.event) {
    case "spawn":
      return line(e, "spawn", "You spawned ", agent);
    case "end":
      return line(e, "end", agent, " has ended", ...why);
    case "kill":
      return line(e, "end", agent, " is ended", ...why);
    case "interrupt":
      return line(e, "pause", agent, " was interrupted");
    case "pause":
      return line(e, "pause", agent, " is paused", ...why);
    case "rotate":
      return line(e, "change", agent, " begins a new session", ...why);
    case "breach":
      return line(e, "refuse", agent, " changed files outside its scope", ...why);
    case "approve":
      return line(e, "answer", "Answered: ", { quote: (e.detail ?? "").replace(/ \S+: /, ", ") });
    case "job.open":
      return line(e, "job", "You opened ", job, " with ", peer);
    case "job.proposed":
      return line(e, "job", peer, " proposes ", job);
    case "job.close":
      return line(e, "job", job, " with ", peer, " has ended", ...why);
    case "job.pause":
      return line(e, "pause", job, " with ", peer, " is paused", ...why);
    case "job.resume":
      return line(e, "job", job, " with ", peer, " goes on");
    case "connect":
      return line(e, "bridge", "The bridge to ", peer, " is up");
    case "disconnect":
      return line(e, "bridge", "The bridge to ", peer, " is down", ...why);
    case "pair":
      return e.detail === "both users said yes" ? line(e, "peer", "You are paired with ", peer) : undefined;
    case "unpair":
      return line(e, "peer", "You unpaired ", peer);
    case "policy":
    case "rules":
    case "budget":
      return line(e, "change", agent.here ? agent : peer, `${agent.here || peer ? ": " : ""}${e.event} changed`);
    case "setting":
      return line(e, "change", "The setting ", { quote: e.detail ?? "" }, " changed");
    case "refuse":
      return line(e, "refuse", "Refused", peer && " from ", peer, e.kind && ": ", e.kind && { quote: e.kind });
  }
  return undefined;
}
