import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import clsx from "clsx";
import { Handshake, Pause, Play, Timer, X } from "lucide-react";
import { useMemo, useState, type ReactNode } from "react";
import { api, unwrap, type Job, type Leg, type Mail } from "~/api/client";
import { useSnapshot } from "~/api/state";
import { useNow } from "~/lib/now";
import { ago, span } from "~/lib/time";
import { Button } from "~/ui/button";
import { Dialog, Input } from "~/ui/controls";
import { Empty, Note, Refused, Skeleton } from "~/ui/note";
import { Badge, PeerDot } from "~/ui/status";
import { say, sayFailed } from "~/ui/toast";

/** Jobs with peers: who may write to whom, what crossed, and when it ends. */
export function JobsView({ message }: { message: (m: Mail) => ReactNode }) {
  const { job: id } = useParams({ strict: false }) as { job?: string };
  const navigate = useNavigate();
  const jobs = useSnapshot((s) => s.jobs);
  const now = useNow();
  const [find, setFind] = useState("");
  const list = useMemo(() => (jobs ?? []).filter((j) => (j.title + j.jobId + (j.legs ?? []).map((l) => l.peerName).join(" ")).toLowerCase().includes(find.toLowerCase())), [jobs, find]);
  const chosen = (jobs ?? []).find((j) => j.jobId === id) ?? list[0];
  if (!jobs) return <Skeleton />;
  if (jobs.length === 0)
    return (
      <div className="flex-1">
        <Empty icon={<Handshake size={24} />} title="No jobs yet">
          A job lets agents here and agents on a paired machine write to each other, under a contract that both of you agree to. Spawn an agent and connect it to a peer.
        </Empty>
      </div>
    );
  return (
    <>
      <section aria-label="Jobs" className={clsx("flex w-[300px] flex-none flex-col border-r border-border max-md:w-full", id && "max-md:hidden")}>
        <div className="flex h-11 flex-none items-center border-b border-border px-3">
          <Input aria-label="Find a job" placeholder="Find a job" value={find} onChange={(e) => setFind(e.target.value)} className="!h-7" />
        </div>
        <ul className="min-h-0 flex-1 overflow-y-auto">
          {list.map((j) => (
            <li key={j.jobId}>
              <button
                type="button"
                aria-current={j === chosen}
                onClick={() => void navigate({ to: "/jobs/$job", params: { job: j.jobId } })}
                className="flex w-full flex-col gap-0.5 border-b border-border px-4 py-2.5 text-left hover:bg-hover aria-[current=true]:bg-active focus-visible:-outline-offset-2"
              >
                <bdi className="w-full truncate font-medium">{j.title}</bdi>
                <span className="flex w-full items-center gap-1.5 text-xs text-text-3">
                  <PeerDot open={j.state === "open"} />
                  <bdi className="truncate">{(j.legs ?? []).map((l) => l.peerName).join(", ")}</bdi>
                  <span className="ml-auto whitespace-nowrap">{j.state === "closed" ? `ended, ${ago(j.created, now)}` : j.state}</span>
                </span>
              </button>
            </li>
          ))}
        </ul>
      </section>
      {chosen && <OneJob key={chosen.jobId} job={chosen} narrow={!id} message={message} />}
    </>
  );
}

function OneJob({ job, narrow, message }: { job: Job; narrow: boolean; message: (m: Mail) => ReactNode }) {
  const mail = useInfiniteQuery({
    queryKey: ["messages", "job", job.jobId],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) => unwrap(api.GET("/api/messages", { params: { query: { job: job.jobId, limit: 100, before: pageParam } }, signal })),
    getNextPageParam: (last) => last.before || undefined,
  });
  const all = useMemo(() => [...(mail.data?.pages ?? [])].reverse().flatMap((p) => p.messages ?? []), [mail.data]);
  return (
    <>
      <section aria-label="Messages of the job" className={clsx("flex min-h-0 min-w-0 flex-1 flex-col", narrow && "max-md:hidden")}>
        <header className="flex flex-wrap items-center gap-2 border-b border-border px-5 py-3">
          <h1 className="min-w-0 text-lg wrap-anywhere">
            <bdi>{job.title}</bdi>
          </h1>
          <Badge className="bg-remote-soft text-remote-text">{job.state}</Badge>
          <span className="font-mono text-xs text-text-3">{job.jobId.slice(0, 8)}</span>
          <span className="flex-1" />
          <JobActions job={job} />
        </header>
        <div className="flex min-h-0 flex-1 flex-col gap-3 overflow-y-auto p-5" tabIndex={0} role="log" aria-label="Timeline">
          {mail.hasNextPage && (
            <Button size="sm" look="ghost" className="self-center" onClick={() => void mail.fetchNextPage()} disabled={mail.isFetching}>
              Show earlier
            </Button>
          )}
          {mail.isError && <Refused what="The messages cannot be read." cause={mail.error} />}
          {mail.isSuccess && all.length === 0 && <Empty title="Nothing was said in this job yet" />}
          {all.map((m) => (
            <div key={m.direction + m.id}>{message(m)}</div>
          ))}
        </div>
      </section>
      <aside aria-label="The contract" className="w-[320px] flex-none overflow-y-auto border-l border-border p-4 max-lg:hidden">
        <Contract job={job} count={all.length} />
      </aside>
    </>
  );
}

function Contract({ job, count }: { job: Job; count: number }) {
  const now = useNow();
  return (
    <div className="flex flex-col gap-4">
      <section>
        <h2 className="mb-1 text-md">Goal</h2>
        <p className="break-words whitespace-pre-wrap text-text-2">
          <bdi>{job.goal || "None was written."}</bdi>
        </p>
      </section>
      <dl className="grid grid-cols-[96px_1fr] gap-y-1.5">
        <dt className="text-text-3">Opened</dt>
        <dd>{ago(job.created, now)}</dd>
        <dt className="text-text-3">Ends</dt>
        <dd>{job.ttlAt ? (Date.parse(job.ttlAt) > now ? `in ${span(Date.parse(job.ttlAt) - now)}` : "now") : "when it is accepted, its time begins"}</dd>
        <dt className="text-text-3">Messages</dt>
        <dd>{count} shown</dd>
      </dl>
      {(job.legs ?? []).map((l) => (
        <LegCard key={l.peer} leg={l} />
      ))}
    </div>
  );
}

function LegCard({ leg: l }: { leg: Leg }) {
  return (
    <section className="rounded-lg border border-remote-line bg-remote-wash p-3">
      <h3 className="mb-2 flex items-center gap-2">
        <PeerDot open={l.connected} />
        <bdi className="text-remote-text">{l.peerName}</bdi>
        <span className="ml-auto text-xs font-normal text-text-3">{l.rttMs ? `${Math.max(1, Math.round(l.rttMs))} ms` : l.state}</span>
      </h3>
      <dl className="grid grid-cols-[80px_1fr] gap-y-1">
        <dt className="text-text-3">Ours</dt>
        <dd className="break-words">{(l.agents ?? []).join(", ")}</dd>
        <dt className="text-text-3">Theirs</dt>
        <dd className="break-words">
          <bdi>{(l.peerAgents ?? []).join(", ")}</bdi>
        </dd>
        <dt className="text-text-3">Waiting</dt>
        <dd>{l.waiting}</dd>
      </dl>
      {(l.detail || l.reason) && <p className="mt-2 text-xs break-words text-text-2">{l.detail || l.reason}</p>}
    </section>
  );
}

function JobActions({ job }: { job: Job }) {
  const [closing, setClosing] = useState(false);
  const body = { jobId: job.jobId };
  const act = async (what: string, done: string, call: () => Promise<unknown>) => {
    try {
      await call();
      say(done);
    } catch (cause) {
      sayFailed(what, cause);
    }
  };
  if (job.state === "closed") {
    return (
      <Button acts size="sm" onClick={() => void act("Not opened anew", "A new job with the same contract is being opened", () => unwrap(api.POST("/api/federation/bridge/reopen", { body })))}>
        <Play size={14} /> Open anew
      </Button>
    );
  }
  return (
    <>
      {job.state === "paused" ? (
        <Button acts size="sm" onClick={() => void act("Not resumed", "The job goes on", () => unwrap(api.POST("/api/federation/bridge/resume", { body })))}>
          <Play size={14} /> Resume
        </Button>
      ) : (
        <Button acts size="sm" onClick={() => void act("Not paused", "The job is paused: messages wait", () => unwrap(api.POST("/api/federation/bridge/pause", { body })))}>
          <Pause size={14} /> Pause
        </Button>
      )}
      <Button acts size="sm" onClick={() => void act("Not extended", "The peer was asked for 2 h more", () => unwrap(api.POST("/api/federation/bridge/extend", { body: { ...body, for: 7200 } })))}>
        <Timer size={14} /> Extend by 2 h
      </Button>
      <Button size="sm" look="danger" onClick={() => setClosing(true)}>
        <X size={14} /> Close
      </Button>
      <Dialog
        open={closing}
        onClose={() => setClosing(false)}
        title={`Close ${job.title}?`}
        footer={
          <>
            <Button onClick={() => setClosing(false)}>Keep it open</Button>
            <Button
              acts
              look="danger"
              onClick={() => {
                setClosing(false);
                void act("Not closed", "The job is closed", () => unwrap(api.POST("/api/federation/bridge/close", { body })));
              }}
            >
              Close the job
            </Button>
          </>
        }
      >
        <Note>
          Its agents here and there can no longer write to each other. {(job.legs ?? []).reduce((n, l) => n + l.waiting, 0)} messages wait; they stay, and move over when you open the job anew.
        </Note>
      </Dialog>
    </>
  );
}
