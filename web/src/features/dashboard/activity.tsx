import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ArrowRight, Check, Hand, Handshake, Link2, Pause, Plus, RefreshCw, ShieldX, SlidersHorizontal, ThumbsUp, type LucideIcon } from "lucide-react";
import { useMemo } from "react";
import { api, unwrap } from "~/api/client";
import { useSnapshot } from "~/api/state";
import { useAgain, useCalm } from "~/api/calm";
import { clock } from "~/lib/time";
import { visible } from "~/lib/visible";
import { Refused } from "~/ui/note";
import { Card } from "./card";
import { feedOf, isEntry, type Icon, type News, type Part } from "./feed";

const icons: Record<Icon, LucideIcon> = { message: ArrowRight, ask: Hand, answer: ThumbsUp, spawn: Plus, end: Check, pause: Pause, job: Handshake, bridge: RefreshCw, peer: Link2, refuse: ShieldX, change: SlidersHorizontal };

const rows = 300; // most rows of the record are of messages, which are shown from elsewhere

function useRecord(version: string) {
  const record = useQuery({
    queryKey: ["record"],
    queryFn: async ({ signal }) => ((await unwrap(api.GET("/api/audit", { params: { query: { limit: rows } }, signal }))).entries ?? []).filter(isEntry),
    staleTime: 0,
  });
  useAgain(record, version);
  return record;
}

/** What has happened lately. */
export function Activity({ most, className }: { most: number; className?: string }) {
  const mail = useSnapshot((s) => s.messages);
  const asked = useSnapshot((s) => s.approvals);
  const peers = useSnapshot((s) => s.peers);
  const jobs = useSnapshot((s) => s.jobs);
  const agents = useSnapshot((s) => s.agents);
  const version = useCalm([mail?.at(-1)?.id, asked?.length, peers?.length, jobs?.map((j) => j.state).join(), agents?.map((a) => a.status).join()].join());
  const record = useRecord(version);
  const news = useMemo(() => feedOf((mail ?? []).slice(-most), asked ?? [], record.data ?? [], { peers: peers ?? [], jobs: jobs ?? [] }, most), [mail, asked, record.data, peers, jobs, most]);
  return (
    <Card
      title="Activity"
      className={className}
      aside={
        <Link to="/audit" className="text-xs underline underline-offset-2">
          Audit
        </Link>
      }
    >
      {record.isError && !record.data && <Refused what="The record cannot be read." cause={record.error} />}
      {news.length === 0 && !record.isError && <p className="text-text-3">Nothing yet. What agents write, ask and finish stands here, and what crosses to other machines.</p>}
      <ul className="flex flex-col" aria-label="Activity">
        {news.map((n) => (
          <Line key={n.key} news={n} />
        ))}
      </ul>
    </Card>
  );
}

function Line({ news: n }: { news: News }) {
  const Mark = icons[n.icon];
  return (
    <li className="grid grid-cols-[54px_16px_minmax(0,1fr)] items-baseline gap-2 py-[5px]">
      <time dateTime={n.at} title={new Date(n.at).toLocaleString()} className="text-xs whitespace-nowrap text-text-3">
        {clock(n.at)}
      </time>
      <Mark size={14} aria-hidden className={n.icon === "refuse" ? "self-center text-failed" : n.icon === "ask" ? "self-center text-awaiting" : "self-center text-text-3"} />
      <span className="line-clamp-2 min-w-0 break-words">
        {n.parts.map((p, i) => (
          <Piece key={i} part={p} job={n.job} />
        ))}
        {n.times > 1 && <span className="text-text-3"> ×{n.times}</span>}
      </span>
    </li>
  );
}

function Piece({ part: p, job }: { part: Part; job: string | undefined }) {
  if (typeof p === "string") return p;
  if ("here" in p) return <bdi className="font-medium">{visible(p.here)}</bdi>;
  if ("there" in p) return <bdi className="font-medium text-remote-text">{visible(p.there)}</bdi>;
  const text = <bdi>{visible(p.quote.slice(0, 200))}</bdi>;
  return job ? (
    <Link to="/jobs/$job" params={{ job }} className="underline underline-offset-2">
      {text}
    </Link>
  ) : (
    text
  );
}
