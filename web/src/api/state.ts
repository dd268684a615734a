import { onlineManager, type Query } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import { api, onShut, setAway, unwrap, type Agent } from "./client";
import { Reader } from "./reader";
import { keepSnapshot, patchSnapshot, queries, snapshotQuery } from "./snapshot";
import { Socket, type Link } from "./socket";

export { queries, snapshotQuery, useAgent, useSnapshot } from "./snapshot";

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

/** Takes an agent as the daemon has just answered it: not every change of one is an event. */
export function putAgent(agent: Agent): void {
  patchSnapshot((s) => ({ ...s, agents: (s.agents ?? []).map((a) => (a.name === agent.name && a.created === agent.created ? agent : a)) }));
}

let socket: Socket | undefined;
const reader = new Reader((agent) => outputWatchers.get(agent)?.forEach((fn) => fn()));

export function follow(): void {
  keepSnapshot();
  onlineManager.setEventListener(() => undefined); // whether the machine has a network says nothing of loopback
  socket = new Socket({
    begin: async (signal) => {
      signal.addEventListener("abort", () => void queries.cancelQueries(snapshotQuery));
      const { next } = await queries.fetchQuery({ ...snapshotQuery, staleTime: 0 });
      reader.anew();
      return next;
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
  reader.back();
  void queries.invalidateQueries({ predicate: others });
}

const others = (q: Query) => q.queryKey[0] !== "snapshot";

export function tryNow(): void {
  socket?.now();
}
