import { keepPreviousData, useQuery } from "@tanstack/react-query";
import type { By, Window } from "~/lib/usage";
import { useAgain, useCalm } from "./calm";
import { api, unwrap } from "./client";
import { useSnapshot } from "./state";

/** What turns took over time. Read anew when a turn has begun or ended, and as the window moves on. */
export function useSeries(query: { window: Window; by: By; agent?: string; team?: string }) {
  const turns = useSnapshot((s) => (s.agents ?? []).map((a) => `${a.turns} ${a.status === "running" ? 1 : 0}`).join());
  const version = useCalm(turns);
  const east = -new Date().getTimezoneOffset();
  const series = useQuery({
    queryKey: ["usage", query.window, query.by, query.agent, query.team],
    queryFn: ({ signal }) => unwrap(api.GET("/api/usage/series", { params: { query: { ...query, east } }, signal })),
    placeholderData: keepPreviousData,
    staleTime: 0,
    refetchInterval: 60_000,
  });
  useAgain(series, version);
  return series;
}

const unhurried = 10_000;

/** What turns have cost since midnight. */
export function useToday() {
  const turns = useSnapshot((s) => (s.agents ?? []).reduce((n, a) => n + a.turns + (a.status === "running" ? 0 : 1), 0));
  const version = useCalm(turns, unhurried);
  const east = -new Date().getTimezoneOffset();
  const today = useQuery({
    queryKey: ["usage", "today"],
    queryFn: ({ signal }) => unwrap(api.GET("/api/usage/series", { params: { query: { window: "1d", bucket: "day", east } }, signal })),
    staleTime: 0,
    refetchInterval: 600_000, // a day ends without a turn too
  });
  useAgain(today, version);
  return today.data?.all.costs ?? [];
}
