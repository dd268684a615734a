import { QueryClient, QueryObserver, queryOptions, replaceEqualDeep } from "@tanstack/react-query";
import { useCallback, useRef, useSyncExternalStore } from "react";
import { api, unwrap, Refusal, type Agent, type Snapshot } from "./client";

/** Server state lives here alone; the socket patches it, or marks it as to be read again. */
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: Infinity,
      refetchOnWindowFocus: false,
      retry: (n, cause) => n < 2 && !(cause instanceof Refusal),
    },
  },
});

const key = ["snapshot"];

export const snapshotQuery = queryOptions({
  queryKey: key,
  queryFn: ({ signal }) => unwrap(api.GET("/api/snapshot", { signal })),
  structuralSharing: false, // who writes it keeps what is the same: `alike`
  gcTime: Infinity,
});

export function snapshot(): Snapshot | undefined {
  return queries.getQueryData<Snapshot>(key);
}

/** Puts what changed into the state; nothing before there is one. */
export function patchSnapshot(change: (s: Snapshot) => Snapshot): void {
  queries.setQueryData<Snapshot>(key, (s) => s && change(s));
}

// One look at the cache for all who look: a tree has hundreds of cards.
const watchers = new Set<() => void>();
let seen: Snapshot | undefined;
queries.getQueryCache().subscribe((e) => {
  if (e.query.queryKey[0] !== "snapshot" || snapshot() === seen) return;
  seen = snapshot();
  watchers.forEach((fn) => fn());
});

/** Reads the state as soon as somebody needs it. */
export function keepSnapshot(): void {
  new QueryObserver(queries, { ...snapshotQuery, enabled: false }).subscribe(() => {});
}

function watch(fn: () => void): () => void {
  watchers.add(fn);
  return () => void watchers.delete(fn);
}

/** The state that every view stands on. What it picks keeps its identity until it differs. */
export function useSnapshot<T>(select: (s: Snapshot) => T): T | undefined {
  const last = useRef<{ of: Snapshot; by: (s: Snapshot) => T; value: T }>(undefined);
  const get = () => {
    const now = snapshot();
    if (!now) return undefined;
    if (last.current?.of !== now || last.current.by !== select) {
      const value = select(now);
      last.current = { of: now, by: select, value: last.current && !isPart(now, value) ? (replaceEqualDeep(last.current.value, value) as T) : value };
    }
    return last.current.value;
  };
  return useSyncExternalStore(watch, get);
}

/** Whether it is of the state as it is: then it is the same for as long as it is equal. */
function isPart(s: Snapshot, value: unknown): boolean {
  for (const k in s) if (s[k as keyof Snapshot] === value) return true;
  return false;
}

const byName = new WeakMap<Agent[], Map<string, Agent>>();

export function agentNamed(s: Snapshot | undefined, name: string): Agent | undefined {
  const all = s?.agents;
  if (!all) return undefined;
  let map = byName.get(all);
  if (!map) byName.set(all, (map = new Map(all.map((a) => [a.name, a]))));
  return map.get(name);
}

/** One agent of this daemon, for a card among hundreds: it is drawn anew when it has changed itself. */
export function useAgent(name: string): Agent | undefined {
  return useSyncExternalStore(
    watch,
    useCallback(() => agentNamed(snapshot(), name), [name]),
  );
}

/** `now` with every thing of `old` that is the same, by identity; all the same: `old` itself. */
export function alike<T>(old: T[] | null | undefined, now: T[], id: (t: T) => string): T[] {
  if (!old) return now;
  const before = new Map(old.map((t) => [id(t), t]));
  const out = now.map((t) => {
    const was = before.get(id(t));
    return was === undefined ? t : (replaceEqualDeep(was, t) as T);
  });
  return out.length === old.length && out.every((t, i) => t === old[i]) ? old : out;
}
