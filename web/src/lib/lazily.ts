import { createElement, use, type ComponentType, type FunctionComponent } from "react";

/** A part of the page that could not be fetched. */
export class Missing extends Error {}

const parts = new Set<() => Promise<unknown>>();
const failed = new Set<() => void>();

/**
 * A component that is fetched when it is first shown, or before by fetchAll. Unlike React's lazy it
 * can be asked for again after a failure.
 */
export function lazily<P extends object>(load: () => Promise<ComponentType<P>>): FunctionComponent<P> {
  let ready: ComponentType<P> | undefined;
  let coming: Promise<ComponentType<P>> | undefined;
  const get = () => {
    coming ??= load().then(
      (part) => (ready = part),
      (cause: unknown) => {
        failed.add(() => (coming = undefined)); // not now: who waits for it is told by this very promise
        throw new Missing(cause instanceof Error ? cause.message : String(cause));
      },
    );
    return coming;
  };
  parts.add(get);
  return (props) => createElement(ready ?? use(get()), props);
}

/** Has what could not be fetched asked for again when it is next shown. */
export function fetchAgain(): void {
  failed.forEach((clear) => clear());
  failed.clear();
}

/** Fetches what was not shown yet, in the browser's idle moments: it is then there while the daemon is not. Returns how to stop. */
export function fetchAll(): () => void {
  let rest = [...parts];
  const next = () => {
    const get = rest.shift();
    if (get) void get().then(later, later);
  };
  const later = () => (window.requestIdleCallback ?? setTimeout)(next);
  later();
  return () => void (rest = []);
}
