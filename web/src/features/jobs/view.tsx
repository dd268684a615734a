import { useNavigate, useParams } from "@tanstack/react-router";
import clsx from "clsx";
import { ChevronDown, Download, Handshake, Laptop, Network } from "lucide-react";
import { memo, useCallback, useLayoutEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { api, unwrap, type Job } from "~/api/client";
import { useSnapshot } from "~/api/state";
import { save } from "~/lib/save";
import { visible } from "~/lib/visible";
import { Button } from "~/ui/button";
import { Menu, Segmented } from "~/ui/controls";
import { Empty, Refused, Skeleton } from "~/ui/note";
import { sayFailed } from "~/ui/toast";
import { Happened, Letter } from "./letter";
import { JobList } from "./list";
import { nothing, useFound, useLetters, useOne, useRecord } from "./queries";
import { Side } from "./side";
import { merge, openQuestion } from "./timeline";

/** Shows an open question where it was asked. */
type Ask = (id: string) => ReactNode;

/** Jobs with peers: who may write to whom, what crossed, and when it ends. */
export function JobsView({ question }: { question: Ask }) {
  const { job: id } = useParams({ strict: false }) as { job?: string };
  const live = useSnapshot((s) => s.jobs);
  const [first, setFirst] = useState<Job>();
  const onFound = useCallback((j: Job | undefined) => setFirst(j), []);
  const all = useFound(nothing);
  const known = useMemo(() => [...(live ?? []), ...(all.data?.pages ?? []).flatMap((p) => p.jobs)], [live, all.data]);
  const near = id ? known.find((j) => j.jobId === id) : first;
  const one = useOne(id ?? "", !!id && !near && !all.isPending);
  const chosen = near ?? one.data;
  if (!live || all.isPending) return <Skeleton />;
  if (known.length === 0)
    return (
      <div className="flex-1">
        <Empty icon={<Handshake size={24} />} title="No jobs yet">
          A job lets agents here and agents on a paired machine write to each other, under a contract that both of you agree to. Spawn an agent and connect it to a peer.
        </Empty>
      </div>
    );
  return (
    <>
      <JobList chosen={chosen?.jobId} narrow={!!id} onFound={onFound} />
      {chosen ? <OneJob key={chosen.jobId} job={chosen} narrow={!id} question={question} /> : <section className={clsx("flex-1 p-5", !id && "max-md:hidden")}>{one.isError && <Refused what="The job cannot be shown." cause={one.error} />}</section>}
    </>
  );
}

function OneJob({ job, narrow, question }: { job: Job; narrow: boolean; question: Ask }) {
  const self = useSnapshot((s) => s.status);
  const mail = useLetters(job.jobId);
  const record = useRecord(job, mail.dataUpdatedAt);
  const letters = useMemo(() => [...(mail.data?.pages ?? [])].reverse().flatMap((p) => p.messages ?? []), [mail.data]);
  const notes = useMemo(() => record.data?.notes ?? [], [record.data]);
  const rows = useMemo(() => merge(letters, notes, !mail.hasNextPage), [letters, notes, mail.hasNextPage]);
  const [which, setWhich] = useState<"timeline" | "contract">("timeline");
  const legs = job.legs ?? [];
  const peers = legs.map((l) => l.peerName).join(", ");
  return (
    <>
      <section aria-label="The job" className={clsx("flex min-h-0 min-w-0 flex-1 flex-col", narrow && "max-md:hidden")}>
        <Head job={job} which={which} onWhich={setWhich} />
        <Scroll at={rows.at(-1)?.key ?? ""} hidden={which !== "timeline"}>
          <div className="sticky top-0 z-2 -mx-5 grid h-9 flex-none grid-cols-[minmax(0,1fr)_72px_minmax(0,1fr)] items-center bg-surface px-5 max-md:hidden">
            <span className="flex min-w-0 items-center gap-2 font-semibold">
              <Laptop size={16} aria-hidden className="flex-none" /> <bdi className="truncate">{visible(self?.name ?? "")}</bdi>
            </span>
            <span className="text-center text-xs text-text-3">time</span>
            <span className="flex min-w-0 items-center justify-end gap-2 font-semibold text-remote-text">
              <bdi className="truncate">{visible(peers)}</bdi> <Network size={16} aria-hidden className="flex-none" />
            </span>
          </div>
          {mail.hasNextPage && (
            <Button size="sm" look="ghost" className="self-center" onClick={() => void mail.fetchNextPage()} disabled={mail.isFetching}>
              Show earlier
            </Button>
          )}
          {mail.isError && <Refused what="The messages cannot be read." cause={mail.error} />}
          {record.isError && <Refused what="What else happened cannot be read." cause={record.error} />}
          {mail.isPending && <Skeleton />}
          {rows.map((r) => (r.mail ? <Letter key={r.key} mail={r.mail} several={legs.length > 1} /> : r.note && <OneNote key={r.key} note={r.note} notes={notes} self={self?.id ?? ""} opener={job.opener} question={question} />))}
          {mail.isSuccess && letters.length === 0 && <p className="py-6 text-center text-text-2">Nothing was said in this job yet.</p>}
        </Scroll>
        {which === "contract" && (
          <div className="min-h-0 flex-1 overflow-y-auto lg:hidden" tabIndex={0}>
            <Side job={job} record={record.data} letters={letters} />
          </div>
        )}
      </section>
      <aside aria-label="How it stands" className="w-[300px] flex-none overflow-y-auto border-l border-border max-lg:hidden" tabIndex={0}>
        <Side job={job} record={record.data} letters={letters} />
      </aside>
    </>
  );
}

type NoteProps = { note: Parameters<typeof openQuestion>[0]; notes: Parameters<typeof openQuestion>[1]; self: string; opener: string; question: Ask };

const OneNote = memo(function OneNote({ note, notes, self, opener, question }: NoteProps) {
  const open = openQuestion(note, notes);
  return <Happened note={note} self={self} opener={opener} question={open ? question(open) : undefined} />;
});

function Head({ job, which, onWhich }: { job: Job; which: "timeline" | "contract"; onWhich: (w: "timeline" | "contract") => void }) {
  const navigate = useNavigate();
  const keep = async (format: "md" | "json") => {
    try {
      const text = await unwrap(api.GET("/api/federation/bridge/status/{jobId}/export", { params: { path: { jobId: job.jobId }, query: { format } }, parseAs: "blob" }));
      save(text as unknown as Blob, `groove-job-${job.jobId.slice(0, 8)}.${format}`);
    } catch (cause) {
      sayFailed("Not exported", cause);
    }
  };
  return (
    <header className="flex flex-none flex-wrap items-center gap-2 border-b border-border px-5 py-2.5">
      <button type="button" className="text-text-2 underline underline-offset-2 max-md:min-h-11 md:hidden" onClick={() => void navigate({ to: "/jobs" })}>
        All jobs
      </button>
      <h1 className="min-w-0 flex-1 text-lg wrap-anywhere max-md:-order-1 max-md:basis-full">
        <bdi>{visible(job.title)}</bdi>
      </h1>
      <div className="lg:hidden">
        <Segmented label="What of the job" value={which} onChange={onWhich} options={[{ value: "timeline", label: "Timeline" }, { value: "contract", label: "Contract" }]} />
      </div>
      <Menu
        label="Export"
        trigger={
          <Button size="sm" look="ghost">
            <Download size={14} /> Export <ChevronDown size={12} />
          </Button>
        }
        items={[
          { label: "Markdown, to read", onSelect: () => void keep("md") },
          { label: "JSON, for programs", onSelect: () => void keep("json") },
        ]}
      />
    </header>
  );
}

/** The view follows what comes, only at the bottom. */
function Scroll({ at, hidden, children }: { at: string; hidden: boolean; children: ReactNode }) {
  const box = useRef<HTMLDivElement>(null);
  const end = useRef(true);
  useLayoutEffect(() => {
    if (end.current && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [at]);
  return (
    <div
      ref={box}
      tabIndex={0}
      role="log"
      aria-live="off"
      aria-label="Timeline"
      onScroll={(e) => (end.current = e.currentTarget.scrollHeight - e.currentTarget.scrollTop - e.currentTarget.clientHeight < 40)}
      className={clsx("flex min-h-0 flex-1 flex-col gap-3 overflow-y-auto px-5 pb-6 max-md:px-3 max-md:pt-3 focus-visible:-outline-offset-2", hidden && "max-lg:hidden")}
    >
      {children}
    </div>
  );
}
