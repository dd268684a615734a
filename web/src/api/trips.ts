import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { api, unwrap } from "./client";

/** The round trips to a peer that its daemon kept, in ms, the oldest first. They come with heartbeats, twice a minute. */
export function useRoundTrips(peer: string, connected: boolean): number[] {
  const { data } = useQuery({
    queryKey: ["peers", "rtt", peer],
    queryFn: ({ signal }) => unwrap(api.GET("/api/federation/peers/{id}/rtt", { params: { path: { id: peer } }, signal })),
    refetchInterval: connected ? 30_000 : false,
  });
  return useMemo(() => (data?.samples ?? []).map((s) => s.ms), [data]);
}
