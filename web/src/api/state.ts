import { useSyncExternalStore } from "react";
import type { Agent } from "./client";
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

export function follow(): void {
  keepSnapshot();
  const reader = new Reader((agent) => outputWatchers.get(agent)?.forEach((fn) => fn()));
  socket = new Socket({
    begin: async () => {
      const { next } = await queries.fetchQuery({ ...snapshotQuery, staleTime: 0 });
      reader.anew();
      return next;
    },
    events: (batch) => reader.take(batch),
    link: (now) => {
      const back = link.state !== "open" && now.state === "open";
      link = now;
      linkWatchers.forEach((fn) => fn());
      if (!back) return;
      reader.back();
      void queries.invalidateQueries({ predicate: (q) => q.queryKey[0] !== "snapshot" });
    },
  });
  socket.start();
}

export function tryNow(): void {
  socket?.now();
}
