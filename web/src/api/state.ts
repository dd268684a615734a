import { onlineManager, QueryClient, queryOptions, useQuery, type Query } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import { api, onShut, setAway, unwrap, Refusal, Unreachable, type Agent, type GrooveEvent, type Mail, type Snapshot } from "./client";
import { Socket, type Link } from "./socket";

/** Server state lives here alone; the socket patches it, or marks it as to be read again. */
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: Infinity,
      refetchOnWindowFocus: false,
      retry: (n, cause) => n < 2 && !(cause instanceof Refusal || cause instanceof Unreachable),
    },
  },
});

export const snapshotQuery = queryOptions({
  queryKey: ["snapshot"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/snapshot", { signal })),
  networkMode: "always", // it is what finds the daemon again
});

/** The state that every view stands on. */
export function useSnapshot<T>(select: (s: Snapshot) => T): T | undefined {
  return useQuery({ ...snapshotQuery, select }).data;
}

let link: Link = { state: "connecting" };
const linkWatchers = new Set<() => void>();
export function useLink(): Link {
  return useSyncExternalStore(
    (fn) => (linkWatchers.add(fn), () => linkWatchers.delete(fn)),
    () => link,
  );
}

/** Why nothing can be done just now: the daemon is away. */
export function useAway(): string | undefined {
  const { state } = useLink();
  return state === "waiting" || state === "shut" ? "The daemon is not reachable" : undefined;
}

const outputWatchers = new Map<string, Set<() => void>>();
/** Calls fn when the agent's output has grown. Returns how to stop. */
export function onOutput(agent: string, fn: () => void): () => void {
  const all = outputWatchers.get(agent) ?? new Set();
  outputWatchers.set(agent, all.add(fn));
  return () => {
    all.delete(fn);
    if (all.size === 0) outputWatchers.delete(agent);
  };
}

/** What a batch of events means, gathered so that 500 a second cost a handful of requests. */
class Reader {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private dirty = new Set<string>();
  private moved = new Set<string>();

  take(batch: GrooveEvent[]): void {
    for (const e of batch) this.one(e);
    this.timer ??= setTimeout(() => void this.settle(), 120);
  }

  private one(e: GrooveEvent): void {
    switch (e.topic) {
      case "output":
        outputWatchers.get(e.id ?? "")?.forEach((fn) => fn());
        return;
      case "agent":
        patchAgent(e);
        this.dirty.add("agents");
        return;
      case "message":
        for (const m of e.messages ?? []) {
          this.moved.add(m.id);
          if (m.direction !== "local") this.dirty.add("jobs"); // how many wait for a peer
        }
        this.dirty.add("agents");
        return;
      case "remoteAgent":
        this.dirty.add("remoteAgents");
        return;
      case "job":
        this.dirty.add("jobs").add("status");
        return;
      case "approval":
        this.dirty.add("approvals").add("agents").add("status");
        return;
      case "peer":
        this.dirty.add("peers").add("jobs").add("status");
        return;
      case "pairing":
        this.dirty.add("pairings").add("peers");
        return;
      case "gate":
      case "daemon":
        this.dirty.add("status");
        return;
    }
  }

  private async settle(): Promise<void> {
    const { dirty, moved } = this;
    this.dirty = new Set();
    this.moved = new Set();
    this.timer = undefined;
    try {
      const parts = await Promise.all([...dirty].map((part) => readPart(part)));
      const mail = moved.size > 0 ? await readMoved(moved) : undefined;
      const merged = Object.assign({}, ...parts) as Partial<Snapshot>;
      queries.setQueryData<Snapshot>(["snapshot"], (s) => s && { ...s, ...merged, messages: mail ? mergeMail(s.messages ?? [], mail) : s.messages });
      for (const part of dirty) void queries.invalidateQueries({ queryKey: [part] });
      if (moved.size > 0) void queries.invalidateQueries({ queryKey: ["messages"] });
    } catch {
      // The daemon has gone. The socket goes on after these events: they are read at its return.
      dirty.forEach((part) => this.dirty.add(part));
      moved.forEach((id) => this.moved.add(id));
    }
  }

  /** Reads what could not be read before. */
  resume(): void {
    if (this.dirty.size + this.moved.size > 0) this.timer ??= setTimeout(() => void this.settle(), 0);
  }
}

function patchAgent(e: GrooveEvent): void {
  queries.setQueryData<Snapshot>(["snapshot"], (s) => {
    const at = s?.agents?.findIndex((a) => a.name === e.id) ?? -1;
    if (!s?.agents || at < 0) return s;
    const agents = s.agents.slice();
    agents[at] = { ...(agents[at] as Agent), status: e.state as Agent["status"], reason: e.reason };
    return { ...s, agents };
  });
}

/** Takes an agent as the daemon has just answered it: not every change of one is an event. */
export function putAgent(agent: Agent): void {
  queries.setQueryData<Snapshot>(["snapshot"], (s) => s && { ...s, agents: (s.agents ?? []).map((a) => (a.name === agent.name && a.created === agent.created ? agent : a)) });
}

async function readPart(part: string): Promise<Partial<Snapshot>> {
  switch (part) {
    case "agents":
      return { agents: (await unwrap(api.GET("/api/agents"))) ?? [] };
    case "remoteAgents":
      return { remoteAgents: (await unwrap(api.GET("/api/federation/remote-agents"))) ?? [] };
    case "jobs":
      return { jobs: (await unwrap(api.GET("/api/federation/bridge/status"))) ?? [] };
    case "approvals":
      return { approvals: (await unwrap(api.GET("/api/approvals"))) ?? [] };
    case "peers":
      return { peers: (await unwrap(api.GET("/api/federation/peers"))) ?? [] };
    case "pairings":
      return { pairings: (await unwrap(api.GET("/api/federation/pair"))) ?? [] };
    case "status":
      return { status: await unwrap(api.GET("/api/status")) };
  }
  return {};
}

/** A few messages are read one by one; of many the last page. */
async function readMoved(ids: Set<string>): Promise<Mail[]> {
  if (ids.size > 8) return (await unwrap(api.GET("/api/messages", { params: { query: { limit: ids.size > 100 ? kept : 100 } } }))).messages ?? [];
  return Promise.all([...ids].map((id) => unwrap(api.GET("/api/messages/{id}", { params: { path: { id } } }))));
}

const kept = 500;

export function mergeMail(old: Mail[], news: Mail[]): Mail[] {
  const byID = new Map(old.map((m) => [m.direction + m.id, m]));
  for (const m of news) byID.set(m.direction + m.id, m);
  return [...byID.values()].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.pos - b.pos)).slice(-kept);
}

let socket: Socket | undefined;
const reader = new Reader();

export function follow(): void {
  onlineManager.setEventListener(() => undefined); // whether the machine has a network says nothing of loopback
  socket = new Socket({
    begin: async (signal) => {
      signal.addEventListener("abort", () => void queries.cancelQueries(snapshotQuery));
      return (await queries.fetchQuery({ ...snapshotQuery, staleTime: 0 })).next;
    },
    alive: (signal) => unwrap(api.GET("/api/status", { signal })),
    events: (batch) => reader.take(batch),
    link: take,
  });
  onShut((why) => socket?.shut(why));
  socket.start();
}

/** Queries wait while the daemon is away, and are read anew when it is back. */
function take(now: Link): void {
  const was = link.state;
  link = now;
  const away = now.state === "waiting" || now.state === "shut";
  if (away) void queries.cancelQueries({ predicate: others });
  setAway(away);
  onlineManager.setOnline(!away);
  linkWatchers.forEach((fn) => fn());
  if (was === "open" || now.state !== "open") return;
  reader.resume();
  void queries.invalidateQueries({ predicate: others });
}

const others = (q: Query) => q.queryKey[0] !== "snapshot";

export function tryNow(): void {
  socket?.now();
}
