import { lazy, useState, type ComponentType } from "react";

type Later<P> = ComponentType<P> & { fetch: () => Promise<unknown> };

/** A part whose code comes when it is first drawn, or before: with `fetch`, and then it draws at once. */
export function later<P extends object>(load: () => Promise<ComponentType<P>>): Later<P> {
  let ready: ComponentType<P> | undefined;
  let coming: Promise<{ default: ComponentType<P> }> | undefined;
  const fetch = () => {
    coming ??= load().then(
      (part) => ({ default: (ready = part) }),
      (cause: unknown) => {
        coming = undefined; // the daemon was away: the next one who asks tries again
        throw cause;
      },
    );
    return coming;
  };
  const Lazy = lazy(fetch) as unknown as ComponentType<P>;
  function Part(props: P) {
    const [Now] = useState<ComponentType<P>>(() => ready ?? Lazy);
    return <Now {...props} />;
  }
  return Object.assign(Part, { fetch });
}

const idle: (fn: () => void) => void = typeof requestIdleCallback === "function" ? (fn) => requestIdleCallback(fn, { timeout: 5_000 }) : (fn) => setTimeout(fn, 1_000);

/** Fetches parts one after the other while the page has nothing to do. */
export function fetchIdly(parts: { fetch: () => Promise<unknown> }[]): void {
  const [first, ...rest] = parts;
  if (first) idle(() => void first.fetch().then(() => fetchIdly(rest), () => {}));
}
