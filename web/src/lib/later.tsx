import { createElement, use, type ComponentType } from "react";

/** A part of the page that could not be fetched. */
export class Missing extends Error {}

type Later<P> = ComponentType<P> & { fetch: () => Promise<unknown> };

const failed = new Set<() => void>();

/**
 * A part whose code comes when it is first drawn, or before: with `fetch`, and then it draws at once. Unlike
 * React's lazy it can be asked for again after a failure: see fetchAgain.
 */
export function later<P extends object>(load: () => Promise<ComponentType<P>>): Later<P> {
  let ready: ComponentType<P> | undefined;
  let coming: Promise<ComponentType<P>> | undefined;
  const fetch = () => {
    coming ??= load().then(
      (part) => (ready = part),
      (cause: unknown) => {
        failed.add(() => (coming = undefined)); // not now: who waits for it is told by this very promise
        throw new Missing(cause instanceof Error ? cause.message : String(cause));
      },
    );
    return coming;
  };
  const Part = (props: P) => createElement(ready ?? use(fetch()), props);
  return Object.assign(Part, { fetch });
}

/** Has what could not be fetched asked for again when it is next shown. */
export function fetchAgain(): void {
  failed.forEach((clear) => clear());
  failed.clear();
}

const idle: (fn: () => void) => void = typeof requestIdleCallback === "function" ? (fn) => requestIdleCallback(fn, { timeout: 5_000 }) : (fn) => setTimeout(fn, 1_000);

/** Fetches parts one after the other while the page has nothing to do: they are then there while the daemon is not. */
export function fetchIdly(parts: { fetch: () => Promise<unknown> }[]): void {
  const [first, ...rest] = parts;
  if (first) idle(() => void first.fetch().then(() => fetchIdly(rest), () => {}));
}
