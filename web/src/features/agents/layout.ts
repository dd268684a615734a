import type { Agent, Leg, Peer, RemoteAgent } from "~/api/client";

// Where things stand in the tree: our frame above, the border between the machines, a frame
// for each peer below. Everything is placed by rows of cards, so that 500 stay cheap.

export const card = { w: 202, h: 96, gapX: 38, gapY: 52 };
/** Jobs lie on the border, from the right; on the left stands what the border is. */
const pill = { w: 270, step: 290, row: 38 };
const label = 230;
const pad = { x: 20, top: 52, bottom: 24 };

export type Box = { id: string; x: number; y: number; w: number; h: number };
export type Placed =
  | (Box & { kind: "local"; name: string })
  | (Box & { kind: "remote"; peer: string; name: string })
  | (Box & { kind: "frame"; title: string; peer?: string; note: string })
  | (Box & { kind: "job"; job: string; leg: number })
  | (Box & { kind: "border" });
/** bend: the end near which a line across the border turns, so that it runs along no frame. */
export type Edge = { id: string; from: string; to: string; across: boolean; live: boolean; bend?: "from" | "to" };
/** What of things decides where they stand: what else they are, their cards look up themselves. */
export type Spots = {
  agents: Pick<Agent, "name" | "role" | "team">[];
  remotes: Pick<RemoteAgent, "peer" | "agent">[];
  peers: Pick<Peer, "id" | "name">[];
  legs: (Pick<Leg, "peer" | "state" | "agents" | "peerAgents"> & { job: string; leg: number })[];
};
export type Tree = { nodes: Placed[]; edges: Edge[] };

const lead = new Set(["planner", "lead"]);

export const localID = (name: string) => "a:" + name;
export const remoteID = (peer: string, name: string) => "r:" + peer + ":" + name;

/** Lays out one machine's agents: planners in a row of their own above the others. */
function rows<T>(all: T[], role: (a: T) => string, across: number): T[][] {
  const top = all.filter((a) => lead.has(role(a)));
  const rest = all.filter((a) => !lead.has(role(a)));
  const out: T[][] = top.length > 0 && rest.length > 0 ? [top] : [];
  const list = out.length > 0 ? rest : all;
  for (let i = 0; i < list.length; i += across) out.push(list.slice(i, i + across));
  return out;
}

const widthOf = (n: number) => n * card.w + Math.max(0, n - 1) * card.gapX;

export function layout(here: string, { agents, remotes, peers, legs }: Spots): Tree {
  const nodes: Placed[] = [];
  const edges: Edge[] = [];
  const across = agents.length > 60 ? Math.max(12, Math.round(Math.sqrt(agents.length))) : agents.length > 12 ? 6 : 4; // of many, in the shape of a screen
  const mine = rows(agents, (a) => a.role ?? "", across);
  const wide = Math.max(3, ...mine.map((r) => r.length), ...peers.map((p) => Math.min(across, remotes.filter((r) => r.peer === p.id).length)));
  const w = widthOf(wide) + 2 * pad.x;

  const place = <T>(list: T[][], top: number, put: (a: T, x: number, y: number) => Placed): number => {
    let y = top + pad.top;
    for (const row of list) {
      let x = (w - widthOf(row.length)) / 2;
      for (const a of row) {
        nodes.push(put(a, x, y));
        x += card.w + card.gapX;
      }
      y += card.h + card.gapY;
    }
    return list.length > 0 ? y - card.gapY + pad.bottom : top + pad.top + 40;
  };

  let y = place(mine, 0, ({ name }, x, top) => ({ id: localID(name), kind: "local", name, x, y: top, w: card.w, h: card.h }));
  nodes.unshift({ id: "here", kind: "frame", title: here, note: "this daemon", x: 0, y: 0, w, h: y });
  for (const top of mine.length > 1 && mine[0]!.every((a) => lead.has(a.role ?? "")) ? mine[0]! : []) {
    for (const a of mine.slice(1).flat()) {
      if (!top.team || top.team === a.team) edges.push({ id: `${top.name}-${a.name}`, from: localID(top.name), to: localID(a.name), across: false, live: false });
    }
  }
  if (peers.length === 0) return { nodes, edges };
  nodes.push({ id: "border", kind: "border", x: 0, y: y + 30, w, h: 40 });
  y += 100;
  for (const p of peers) y = peer(p, y);
  return { nodes, edges };

  function peer(p: Spots["peers"][number], top: number): number {
    const theirs = remotes.filter((r) => r.peer === p.id);
    const open = legs.filter((l) => l.peer === p.id && l.state !== "closed");
    const title = p.name;
    if (theirs.length === 0 || open.length === 0) {
      const seen = theirs.length > 0 ? `, ${theirs.length} agents when last seen` : "";
      nodes.unshift({ id: "p:" + p.id, kind: "frame", title, peer: p.id, note: "paired, no open job" + seen, x: 0, y: top, w, h: 44 });
      return top + 64;
    }
    const inRow = Math.max(1, Math.floor((w - label) / pill.step));
    top += (Math.ceil(open.length / inRow) - 1) * pill.row;
    const bottom = place(rows(theirs, () => "", across), top - 20, (a, x, ay) => ({ id: remoteID(p.id, a.agent), kind: "remote", peer: p.id, name: a.agent, x, y: ay, w: card.w, h: card.h }));
    nodes.unshift({ id: "p:" + p.id, kind: "frame", title, peer: p.id, note: "read-only here", x: 0, y: top, w, h: bottom - top + 20 });
    open.forEach((leg, n) => {
      const id = `j:${leg.job}:${leg.leg}`;
      nodes.push({ id, kind: "job", job: leg.job, leg: leg.leg, x: w - pill.step * ((n % inRow) + 1), y: top - 74 - Math.floor(n / inRow) * pill.row, w: pill.w, h: 30 });
      const live = leg.state === "open";
      for (const a of leg.agents ?? []) edges.push({ id: `${id}-${a}`, from: localID(a), to: id, across: true, live, bend: "to" });
      for (const a of leg.peerAgents ?? []) edges.push({ id: `${id}+${a}`, from: id, to: remoteID(p.id, a), across: true, live, bend: "from" });
    });
    return bottom + 120;
  }
}
