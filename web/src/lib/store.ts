import { useSyncExternalStore } from "react";

export type Store<T> = { get: () => T; set: (v: T) => void; use: () => T };

/** A value of the page's own that several parts look at; what is the daemon's is not kept here. */
export function create<T>(first: T): Store<T> {
  let value = first;
  const watchers = new Set<() => void>();
  const watch = (fn: () => void) => {
    watchers.add(fn);
    return () => void watchers.delete(fn);
  };
  return {
    get: () => value,
    set: (v) => {
      if (Object.is(v, value)) return;
      value = v;
      watchers.forEach((fn) => fn());
    },
    use: () => useSyncExternalStore(watch, () => value),
  };
}

/** As create, kept for the browser's next visit. */
export function remembered<T extends string | number>(key: string, first: T, valid: (v: unknown) => v is T): Store<T> {
  let begin = first;
  try {
    const kept: unknown = JSON.parse(localStorage.getItem("groove." + key) ?? "null");
    if (valid(kept)) begin = kept;
  } catch {
    // Storage may be off or hold something else.
  }
  const store = create<T>(begin);
  return {
    ...store,
    set: (v) => {
      store.set(v);
      try {
        localStorage.setItem("groove." + key, JSON.stringify(v));
      } catch {
        // as above
      }
    },
  };
}
