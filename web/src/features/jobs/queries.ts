import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { api, unwrap, type Job, type JobRecord } from "~/api/client";
import { useSnapshot } from "~/api/state";
import { nextOf } from "~/lib/link";

export type Find = { text: string; peer: string; agent: string; state: "" | "live" | "closed" };
export const nothing: Find = { text: "", peer: "", agent: "", state: "" };
export const finds = (f: Find) => f.text !== "" || f.peer !== "" || f.agent !== "" || f.state !== "";

const pageSize = 30;

/** How every job stands, in one text: what was read of them is old when it changes. */
function useStand(): string {
  return useSnapshot((s) => (s.jobs ?? []).map((j) => j.jobId + j.state).join()) ?? "";
}

/** Jobs that fit, newest first, a page at a time; searched by the daemon. */
export function useFound(f: Find) {
  const stand = useStand();
  return useInfiniteQuery({
    queryKey: ["job-list", f, stand],
    initialPageParam: undefined as string | undefined,
    placeholderData: keepPreviousData,
    queryFn: async ({ pageParam, signal }) => {
      const query = { q: f.text || undefined, peer: f.peer || undefined, agent: f.agent || undefined, state: f.state || undefined, limit: pageSize, after: pageParam };
      const { data, response } = await api.GET("/api/federation/bridge/status", { params: { query }, signal });
      return { jobs: data ?? [], next: nextOf(response.headers.get("Link")) };
    },
    getNextPageParam: (last) => last.next,
  });
}

/** One job that no page which was read holds. */
export function useOne(id: string, wanted: boolean) {
  return useQuery({
    queryKey: ["job-list", "one", id],
    enabled: wanted,
    retry: false,
    queryFn: ({ signal }) => unwrap(api.GET("/api/federation/bridge/status/{jobId}", { params: { path: { jobId: id } }, signal })),
  });
}

/** The messages of a job with the times of their steps, the newest page first. */
export function useLetters(job: string) {
  return useInfiniteQuery({
    queryKey: ["messages", "job", job, "steps"],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) => unwrap(api.GET("/api/messages", { params: { query: { job, limit: 100, steps: true, before: pageParam } }, signal })),
    getNextPageParam: (last) => last.before || undefined,
  });
}

const pause = 400;

/** What is kept of a job beside its messages: read again, once in a while, after anything about it has changed. */
export function useRecord(job: Job, moved: number) {
  const asked = useSnapshot((s) => (s.approvals ?? []).map((a) => a.id).join()) ?? "";
  const stand = JSON.stringify([job.state, job.ttlAt, (job.legs ?? []).map((l) => [l.state, l.reason, l.connected, l.askedTtlAt])]);
  const query = useQuery<JobRecord>({
    queryKey: ["job-record", job.jobId],
    refetchOnMount: "always",
    queryFn: ({ signal }) => unwrap(api.GET("/api/federation/bridge/status/{jobId}/record", { params: { path: { jobId: job.jobId } }, signal })),
  });
  const { refetch } = query;
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      void refetch();
    }, pause);
  }, [stand, asked, moved, refetch]);
  useEffect(
    () => () => {
      clearTimeout(timer.current);
      timer.current = undefined;
    },
    [],
  );
  return query;
}
