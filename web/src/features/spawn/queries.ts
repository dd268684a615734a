import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api, Refusal, unwrap } from "~/api/client";
import { useSnapshot } from "~/api/state";
import type { LinkRequest } from "./draft";

/** The value as it was when it last stood still for a moment. */
export function useSettled<T>(value: T, ms = 250): T {
  const [settled, set] = useState(value);
  const key = JSON.stringify(value);
  useEffect(() => {
    const timer = setTimeout(() => set(value), ms);
    return () => clearTimeout(timer);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the key is the value
  }, [key, ms]);
  return settled;
}

/** A folder of the daemon's machine; undefined reads none. */
export function useFolder(path: string | undefined) {
  return useQuery({
    queryKey: ["dirs", path],
    queryFn: ({ signal }) => unwrap(api.GET("/api/dirs", { params: { query: { path } }, signal })),
    enabled: path !== undefined,
    staleTime: 5_000,
    gcTime: 30_000,
    placeholderData: keepPreviousData,
    retry: false,
  });
}

/** What a scope holds, once its typing pauses. */
export function useScope(dir: string, scope: string[]) {
  const asked = useSettled({ dir, scope });
  const team = useSnapshot((s) => (s.agents ?? []).map((a) => a.name).join(" "));
  return useQuery({
    queryKey: ["scope", asked, team],
    queryFn: ({ signal }) => unwrap(api.POST("/api/scope", { body: asked, signal })),
    enabled: asked.dir.startsWith("/"),
    staleTime: 0,
    gcTime: 30_000,
    placeholderData: keepPreviousData,
    retry: false,
  });
}

/** What the peer would be asked for, once its typing pauses. */
export function useContract(name: string, role: string, task: string, link: LinkRequest | undefined) {
  const asked = useSettled({ name, role: role || undefined, task: task.trim() || undefined, link });
  const shown = useSnapshot((s) => (s.remoteAgents ?? []).map((a) => a.peer + a.agent + a.status).join(" "));
  return useQuery({
    queryKey: ["contract", asked, shown],
    queryFn: ({ signal }) => unwrap(api.POST("/api/contract", { body: { ...asked, link: asked.link! }, signal })),
    enabled: !!asked.link,
    staleTime: 0,
    gcTime: 30_000,
    placeholderData: asked.link ? keepPreviousData : undefined,
    retry: false,
  });
}

export function whyOf(cause: unknown): string {
  if (cause instanceof Refusal) return cause.fix ? `${cause.message}. What helps: ${cause.fix}` : cause.message;
  return cause instanceof Error ? cause.message : String(cause);
}
