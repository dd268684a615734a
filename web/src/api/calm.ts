import { useEffect, useRef, useState } from "react";

const calm = 4_000;

/** Follows a value at most once in some seconds: the first change at once, the last one for sure. */
export function useCalm<T>(value: T, ms = calm): T {
  const [shown, show] = useState(value);
  const last = useRef(0);
  useEffect(() => {
    const wait = Math.max(0, last.current + ms - Date.now());
    const timer = setTimeout(() => {
      last.current = Date.now();
      show(value);
    }, wait);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return shown;
}

/**
 * Has a query read again when what it depends on has become another. It is no part of the query's key:
 * a page that is open all day would keep an answer of each moment.
 */
export function useAgain(query: { refetch: () => unknown }, version: unknown): void {
  const { refetch } = query;
  const read = useRef(version);
  useEffect(() => {
    if (read.current === version) return;
    read.current = version;
    void refetch();
  }, [version, refetch]);
}
