import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import type { By, Window } from "~/lib/usage";
import { api, unwrap } from "./client";
import { useSnapshot } from "./state";

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

/** What turns took over time. Read anew when a turn has begun or ended, and as the window moves on. */
export function useSeries(query: { window: Window; by: By; agent?: string; team?: string }) {
  const turns = useSnapshot((s) => (s.agents ?? []).map((a) => `${a.turns} ${a.status === "running" ? 1 : 0}`).join());
  const version = useCalm(turns);
  const east = -new Date().getTimezoneOffset();
  return useQuery({
    queryKey: ["usage", query.window, query.by, query.agent, query.team, version],
    queryFn: ({ signal }) => unwrap(api.GET("/api/usage/series", { params: { query: { ...query, east } }, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: 60_000,
    gcTime: 60_000,
  });
}
