import { useSyncExternalStore } from "react";

// One clock for the page: it moves only while somebody looks at it.
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;
const watchers = new Set<() => void>();

function tick(): void {
  if (document.hidden) return;
  now = Date.now();
  watchers.forEach((fn) => fn());
}

function watch(fn: () => void): () => void {
  watchers.add(fn);
  timer ??= setInterval(tick, 1000);
  return () => {
    watchers.delete(fn);
    if (watchers.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** The time, to the second. */
export function useNow(): number {
  return useSyncExternalStore(watch, () => now);
}
