// What the panel says of an agent, from what the daemon knows. Nothing here draws.
import type { Agent, Job, Leg, Mail, RemoteAgent } from "~/api/client";
import type { Item } from "~/lib/transcript";

export { money, number, programName, tokensOf } from "~/lib/figures";

export function roleName(role: string | undefined): string {
  return role ? role.charAt(0).toUpperCase() + role.slice(1) : "No role";
}

export type Link = { job: Job; leg: Leg };

/** The legs of jobs that have not ended and link the agent. */
export function linksOf(agent: string, jobs: Job[]): Link[] {
  return jobs.flatMap((job) => (job.legs ?? []).filter((leg) => leg.state !== "closed" && (leg.agents ?? []).includes(agent)).map((leg) => ({ job, leg })));
}

/** The legs of open jobs that list a peer's agent: only through those may it be written to. */
export function linksTo(agent: string, peer: string, jobs: Job[]): Link[] {
  return jobs.flatMap((job) => (job.legs ?? []).filter((leg) => leg.state !== "closed" && leg.peer === peer && (leg.peerAgents ?? []).includes(agent)).map((leg) => ({ job, leg })));
}

export type Member = { name: string; known?: RemoteAgent };

/** The peer's agents that a leg lists, each with what the peer shows of it. */
export function teamOf(leg: Leg, remotes: RemoteAgent[]): Member[] {
  return (leg.peerAgents ?? []).map((name) => ({ name, known: remotes.find((r) => r.peer === leg.peer && r.agent === name) }));
}

export type Traffic = { sent: number; received: number; last: string | undefined };

/** What crossed between an agent and one peer. */
export function traffic(mail: Mail[], agent: string, peer: string): Traffic {
  const out: Traffic = { sent: 0, received: 0, last: undefined };
  for (const m of mail) {
    if (m.peer !== peer || (m.from !== agent && m.to !== agent)) continue;
    if (m.direction === "out") out.sent++;
    else if (m.direction === "in") out.received++;
    if (!out.last || m.at > out.last) out.last = m.at;
  }
  return out;
}

/** What no receipt has come for: it stands in the outbox. */
export function outbox(mail: Mail[], peer: string): Mail[] {
  return mail.filter((m) => m.direction === "out" && m.peer === peer && (m.state === "queued" || m.state === "sent" || m.state === "held"));
}

/** exact: its prompt is recorded. Else it began at the latest with the first thing that it said. */
export type Turn = { n: number; began: string | undefined; exact: boolean; ms: number | undefined; end: string };

/** The turns that ended, from what was recorded of the session. */
export function turnsOf(items: Item[]): Turn[] {
  const out: Turn[] = [];
  let began: string | undefined;
  let exact = false;
  for (const i of items) {
    if (i.kind === "prompt") exact = began === undefined || exact;
    if (i.kind === "used") continue; // of the turn that ends next
    if (i.kind !== "stop") {
      began ??= i.at || undefined;
      continue;
    }
    const ms = began ? Date.parse(i.at) - Date.parse(began) : NaN;
    out.push({ n: i.turn, began, exact, ms: ms >= 0 ? ms : undefined, end: i.why });
    began = undefined;
    exact = false;
  }
  return out;
}

/** How full the context was after each turn of the session, in per cent, where the program said it. */
export function fillsOf(items: Item[]): { turn: number; percent: number }[] {
  return items.flatMap((i) => (i.kind === "used" && i.contextUsed !== undefined && i.contextSize ? [{ turn: i.turn, percent: Math.min(100, Math.floor((i.contextUsed * 100) / i.contextSize)) }] : []));
}

/** What an agent has exchanged over a leg since its job began. */
export function crossedOf(leg: Leg, agent: string): Traffic {
  const t = (leg.traffic ?? []).find((c) => c.agent === agent);
  return { sent: t?.sent ?? 0, received: t?.received ?? 0, last: t?.lastAt };
}

export function median(all: number[]): number | undefined {
  if (all.length === 0) return undefined;
  const sorted = [...all].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)];
}

/** How full the context is, in per cent; undefined where the program does not say. */
export function fillOf(a: Agent): number | undefined {
  const used = a.usage?.contextUsed;
  const size = a.usage?.contextSize;
  return used !== undefined && size ? Math.min(100, Math.floor((used * 100) / size)) : undefined;
}
