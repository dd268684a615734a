import type { Mail } from "~/api/client";
import { own } from "./own";

const out = ["queued", "stored", "delivered", "started", "answered"] as const;
const here = ["stored", "delivered", "started", "answered"] as const;
const rank: Record<string, number> = { queued: 0, sent: 0, held: 0, stored: 1, delivering: 1, delivered: 2, started: 3, answered: 4 };

/** A step of a message: when it was known here, and whether that is its own time or that of a later step that came with it. */
export type Step = { name: string; passed: boolean; at?: string; own: boolean };

/** The way of a message, step by step. Nothing is made up: a step whose time is not kept has none. */
export function stepsOf(m: Mail): Step[] {
  const known = (m.steps ?? []).map((s) => ({ rank: own(rank, s.state) ?? -1, at: s.at })).filter((s) => s.rank >= 0);
  const furthest = Math.max(own(rank, m.state) ?? -1, ...known.map((s) => s.rank), 0);
  return (m.direction === "out" ? out : here).map((name, i) => {
    const at = rank[name] ?? 0;
    if (i === 0) return { name, passed: true, at: m.at, own: true };
    const exact = known.find((s) => s.rank === at);
    const later = known.find((s) => s.rank > at);
    return { name, passed: at <= furthest, at: at <= furthest ? (exact ?? later)?.at : undefined, own: !!exact };
  });
}

/** From sending until a step was known here, in ms. */
export function timeTo(m: Mail, step: string): number | undefined {
  const s = stepsOf(m).find((x) => x.name === step);
  return s?.passed && s.at ? Math.max(0, Date.parse(s.at) - Date.parse(m.at)) : undefined;
}

/** A short time as people say it: "40 ms", "1.2 s", "48 s", "3 min". */
export function brief(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 60_000) return `${Math.round(ms / 1000)} s`;
  if (ms < 3600_000) return `${Math.floor(ms / 60_000)} min ${Math.floor((ms % 60_000) / 1000)} s`;
  return `${Math.floor(ms / 3600_000)} h ${Math.floor((ms % 3600_000) / 60_000)} min`;
}
