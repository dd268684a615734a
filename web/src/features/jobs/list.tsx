import { Link } from "@tanstack/react-router";
import clsx from "clsx";
import { ListFilter, Search } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import type { Job } from "~/api/client";
import { useSnapshot } from "~/api/state";
import { useNow } from "~/lib/now";
import { ago, span } from "~/lib/time";
import { visible } from "~/lib/visible";
import { Button } from "~/ui/button";
import { Input, Select } from "~/ui/controls";
import { Refused, Skeleton } from "~/ui/note";
import { PeerDot, StatusDot } from "~/ui/status";
import { finds, nothing, useFound, type Find } from "./queries";
import { groups, reason } from "./timeline";

/** Jobs that need their user, that are open, that were: found by the daemon, a page at a time. */
export function JobList({ chosen, narrow, onFound }: { chosen?: string; narrow: boolean; onFound: (first: Job | undefined) => void }) {
  const [find, setFind] = useState<Find>(nothing);
  const [text, setText] = useState("");
  const [open, setOpen] = useState(false);
  useEffect(() => {
    const t = setTimeout(() => setFind((f) => ({ ...f, text: text.trim() })), 200);
    return () => clearTimeout(t);
  }, [text]);
  const self = useSnapshot((s) => s.status.id) ?? "";
  const peers = useSnapshot((s) => s.peers) ?? [];
  const asked = useSnapshot((s) => s.approvals) ?? [];
  const live = useSnapshot((s) => s.jobs) ?? [];
  const found = useFound(find);
  const jobs = useMemo(() => {
    const now = new Map(live.map((j) => [j.jobId, j]));
    return (found.data?.pages ?? []).flatMap((p) => p.jobs).map((j) => now.get(j.jobId) ?? j);
  }, [found.data, live]);
  const ids = useMemo(() => new Set(asked.map((a) => jobOf(a.detail))), [asked]);
  const parts = useMemo(() => groups(jobs, self, ids), [jobs, self, ids]);
  const first = parts[0]?.jobs[0];
  useEffect(() => onFound(first), [first, onFound]);
  const set = (some: Partial<Find>) => setFind((f) => ({ ...f, ...some }));
  return (
    <section aria-label="Jobs" className={clsx("flex w-[264px] flex-none flex-col border-r border-border max-md:w-full", narrow && "max-md:hidden")}>
      <div className="flex flex-none flex-col gap-2 px-3 pt-3 pb-1">
        <div className="flex items-center gap-1.5">
          <div className="relative min-w-0 flex-1">
            <Search size={14} aria-hidden className="absolute top-1/2 left-2.5 -translate-y-1/2 text-text-3" />
            <Input type="search" aria-label="Search jobs" placeholder="Search jobs" maxLength={200} value={text} onChange={(e) => setText(e.target.value)} className="!pl-8" />
          </div>
          <Button look="ghost" icon aria-label="Filter jobs" aria-expanded={open} title="By peer, agent, state" onClick={() => setOpen(!open)}>
            <ListFilter size={16} />
          </Button>
        </div>
        {open && (
          <div className="grid grid-cols-2 gap-1.5">
            <Select aria-label="State" value={find.state} onChange={(e) => set({ state: e.target.value as Find["state"] })}>
              <option value="">any state</option>
              <option value="live">not closed</option>
              <option value="closed">closed</option>
            </Select>
            <Select aria-label="Peer" value={find.peer} onChange={(e) => set({ peer: e.target.value })}>
              <option value="">any peer</option>
              {peers.map((p) => (
                <option key={p.id} value={p.id}>
                  {p.name}
                </option>
              ))}
            </Select>
            <Input aria-label="Agent" placeholder="An agent, here or there" maxLength={63} className="col-span-2" value={find.agent} onChange={(e) => set({ agent: e.target.value.trim() })} />
          </div>
        )}
      </div>
      <div className="min-h-0 flex-1 overflow-y-auto px-2 pb-3">
        {found.isError && <Refused what="The jobs cannot be read." cause={found.error} />}
        {found.isPending && <Skeleton />}
        {found.isSuccess && jobs.length === 0 && finds(find) && <p className="px-3 py-4 text-text-2">No job fits. Titles, goals, names and what was said are searched.</p>}
        {parts.map((g) => (
          <section key={g.name} aria-label={g.name}>
            <h2 className="px-3 pt-3 pb-1 text-xs font-medium text-text-3">{g.name}</h2>
            <ul>
              {g.jobs.map((j) => (
                <li key={j.jobId}>
                  <One job={j} needs={g.name === "Needs you"} chosen={j.jobId === chosen} />
                </li>
              ))}
            </ul>
          </section>
        ))}
        {found.hasNextPage && (
          <Button size="sm" look="ghost" className="mt-1 ml-2" disabled={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
            Older jobs
          </Button>
        )}
      </div>
    </section>
  );
}

/** The job that a question says it is about. */
function jobOf(detail: unknown): string {
  const id = typeof detail === "object" && detail !== null ? (detail as { jobId?: unknown }).jobId : undefined;
  return typeof id === "string" ? id : "";
}

function One({ job: j, needs, chosen }: { job: Job; needs: boolean; chosen: boolean }) {
  const over = j.state === "closed";
  return (
    <Link to="/jobs/$job" params={{ job: j.jobId }} aria-current={chosen || undefined} className="mb-0.5 block rounded-md px-3 py-2 hover:bg-hover aria-[current=true]:bg-remote-soft focus-visible:-outline-offset-2 max-md:min-h-14">
      <span className="flex items-center gap-2">
        <bdi className={clsx("min-w-0 flex-1 truncate", over ? "font-medium" : "font-semibold")}>{visible(j.title)}</bdi>
        {needs ? <StatusDot status="awaiting" /> : !over && <PeerDot open={j.state === "open"} />}
      </span>
      <span className={clsx("block truncate text-xs", over ? "text-text-3" : "text-text-2", chosen && "!text-text-2")}>
        <bdi>{visible((j.legs ?? []).map((l) => l.peerName).join(", "))}</bdi> · <How job={j} needs={needs} />
      </span>
    </Link>
  );
}

function How({ job: j, needs }: { job: Job; needs: boolean }) {
  const now = useNow();
  if (j.state === "closed") return <>{[reason(j.legs?.[0]?.reason ?? ""), ago(j.created, now)].filter(Boolean).join(" · ")}</>;
  if (needs && j.state === "proposed") return <>proposes a contract</>;
  return <>{j.state === "open" ? `made ${span(now - Date.parse(j.created))} ago` : j.state}</>;
}
