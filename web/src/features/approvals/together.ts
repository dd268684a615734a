import type { Approval } from "~/api/client";
import type { Detail } from "./detail";
import { read } from "./detail";
import { own } from "~/lib/own";

/** Whether a question may be decided together with others like it, and if not, why. */
export type Together = { group: string } | { alone: string };

/** Nothing is changed, run or sent by these. */
const safe: Record<string, string> = { read: "Reads", search: "Searches" };

export function together(a: Approval, d: Detail = read(a)): Together {
  if (a.kind === "job.proposed") return { alone: "a contract lets a peer in: each is read by itself" };
  if (a.kind === "pair.words") return { alone: "words are compared one machine at a time" };
  if (a.kind === "message.held" || a.kind === "turn.held") return { alone: "a peer's words are read before they are let through" };
  if (a.kind !== "permission") return { alone: "each of these is another matter" };
  if (d.tainted.length > 0 || d.code === "taint") return { alone: "text of a peer that you have not reviewed is in this agent's context" };
  if (d.outside.length > 0) return { alone: "it may lie outside of the agent's directory" };
  if (d.code === "unclear") return { alone: "groove cannot tell what it touches" };
  if (d.cut) return { alone: "it said more than is shown here" };
  if (d.command || d.diffs.length > 0 || !own(safe, d.sort)) return { alone: "it changes, runs or sends something" };
  return { group: own(safe, d.sort) ?? "" };
}

/** Questions in the order of their expiry, and the groups of which several may be decided at once. */
export function sorted(all: Approval[]): { single: Approval[]; groups: { name: string; of: Approval[] }[] } {
  const order = [...all].sort((a, b) => (a.expires < b.expires ? -1 : a.expires > b.expires ? 1 : a.id < b.id ? -1 : 1));
  const byGroup = new Map<string, Approval[]>();
  for (const a of order) {
    const t = together(a);
    if ("group" in t) byGroup.set(t.group, [...(byGroup.get(t.group) ?? []), a]);
  }
  const groups = [...byGroup].filter(([, of]) => of.length > 1).map(([name, of]) => ({ name, of }));
  const grouped = new Set(groups.flatMap((g) => g.of));
  return { single: order.filter((a) => !grouped.has(a)), groups };
}
