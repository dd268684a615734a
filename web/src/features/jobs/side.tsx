import { useMemo } from "react";
import type { Job, JobRecord, Leg, LegRecord, Mail } from "~/api/client";
import { useNow } from "~/lib/now";
import { brief, timeTo } from "~/lib/steps";
import { ago, clock, span } from "~/lib/time";
import { visible } from "~/lib/visible";
import { Facts } from "~/ui/facts";
import { Sparkline } from "~/ui/sparkline";
import { Badge, PeerDot } from "~/ui/status";
import { JobActions } from "./actions";
import { reason } from "./timeline";

/** How a job stands: its time, its contract, how long things take, what crossed. */
export function Side({ job, record, letters }: { job: Job; record?: JobRecord; letters: Mail[] }) {
  return (
    <div className="flex flex-col">
      <Time job={job} />
      {(job.legs ?? []).map((l, i) => (
        <OneLeg key={l.peer} leg={l} record={record?.legs?.[i]} letters={letters.filter((m) => m.peer === l.peer)} connects={(record?.notes ?? []).filter((n) => n.event === "connect" && n.peer === l.peer).length} several={(job.legs ?? []).length > 1} />
      ))}
      {job.goal && job.goal !== job.title && (
        <Part title="Goal">
          <p className="break-words whitespace-pre-wrap text-text-2">
            <bdi>{visible(job.goal)}</bdi>
          </p>
        </Part>
      )}
    </div>
  );
}

function Part({ title, end, children }: { title: string; end?: React.ReactNode; children: React.ReactNode }) {
  return (
    <section className="border-t border-border px-4 py-4" aria-label={title}>
      <h2 className="mb-2.5 flex items-center text-sm font-semibold">
        {title} <span className="ml-auto font-medium text-text-2">{end}</span>
      </h2>
      {children}
    </section>
  );
}

function Time({ job }: { job: Job }) {
  const now = useNow();
  const ends = job.ttlAt ? Date.parse(job.ttlAt) : 0;
  const left = Math.max(0, ends - now);
  const over = job.state === "closed";
  const whole = Math.max(1, ends - Date.parse(job.created));
  const asked = (job.legs ?? []).find((l) => l.askedTtlAt);
  return (
    <section className="px-4 py-4" aria-label="Time">
      <div className="mb-2.5 flex items-center">
        <Badge className={over ? "bg-done-soft text-done-text" : job.state === "paused" ? "bg-awaiting-soft text-awaiting-text" : "bg-remote-soft text-remote-text"}>
          <PeerDot open={job.state === "open"} /> {job.state}
        </Badge>
        <span className="ml-auto font-mono text-xs text-text-3 select-all" title={job.jobId}>
          {job.jobId.slice(0, 8)}
        </span>
      </div>
      {over ? (
        <p>
          <b className="text-lg">{capital(reason(job.legs?.[0]?.reason ?? "") || "It has ended")}</b>
          <span className="block text-text-2">made {ago(job.created, now)}</span>
        </p>
      ) : ends ? (
        <>
          <p className="flex items-baseline gap-1.5">
            <b className="text-2xl tracking-tight">{hours(left)}</b>
            <span className="text-text-2">left, until {clock(job.ttlAt ?? "")}</span>
          </p>
          <svg viewBox="0 0 100 4" preserveAspectRatio="none" className="my-2 h-1 w-full rounded-full bg-active" role="img" aria-label={`${span(left)} left`}>
            <rect width={Math.min(100, (100 * (whole - left)) / whole)} height="4" className={left < 10 * 60_000 ? "fill-awaiting" : "fill-text-3"} />
          </svg>
        </>
      ) : (
        <p className="text-text-2">Its time begins when it is accepted.</p>
      )}
      {asked && (
        <p className="mb-2 text-xs text-awaiting-text">
          <bdi>{visible(asked.peerName)}</bdi> was asked for {clock(asked.askedTtlAt ?? "")} and has not answered.
        </p>
      )}
      <JobActions job={job} />
    </section>
  );
}

/** The time of day, with the day where it is not today. */
function when(at: string): string {
  const d = new Date(at);
  return (d.toDateString() === new Date().toDateString() ? "" : d.toLocaleDateString() + ", ") + clock(at);
}

const capital = (s: string) => s.charAt(0).toUpperCase() + s.slice(1);

/** "1:46": hours and minutes; under an hour minutes and seconds, as "46:05 min". */
function hours(ms: number): string {
  const s = Math.floor(ms / 1000);
  const two = (n: number) => String(n).padStart(2, "0");
  return s >= 3600 ? `${Math.floor(s / 3600)}:${two(Math.floor((s % 3600) / 60))} h` : `${Math.floor(s / 60)}:${two(s % 60)} min`;
}

function OneLeg({ leg: l, record: r, letters, connects, several }: { leg: Leg; record?: LegRecord; letters: Mail[]; connects: number; several: boolean }) {
  const trips = useMemo(() => letters.flatMap((m) => (m.direction === "out" ? (timeTo(m, "delivered") ?? []) : [])), [letters]);
  const c = r?.contract;
  const x = r?.crossed;
  return (
    <>
      <Part title={several ? `Round trip, ${l.peerName}` : "Round trip"} end={l.rttMs ? `${Math.max(1, Math.round(l.rttMs))} ms` : l.connected ? "not measured yet" : "not connected"}>
        {trips.length > 2 && <Sparkline values={trips} label={`Time to delivery of the last ${trips.length} messages`} />}
        <Facts rows={[
          ["Delivered", trip(r?.delivered)],
          ["Answered", trip(r?.answered)],
          ["Connected", connects === 0 ? "not yet" : connects === 1 ? "once" : `${connects} times`],
        ]} />
        {(l.detail || (l.state === "paused" && l.reason)) && <p className="mt-2 text-xs break-words text-text-2">{l.detail || l.reason}</p>}
      </Part>
      <Part title={several ? `Contract, ${l.peerName}` : "Contract"}>
        <Facts rows={[
          ["Yours", (l.agents ?? []).join(", ")],
          ["Theirs", <bdi className="text-remote-text">{visible((l.peerAgents ?? []).join(", "))}</bdi>],
          ...(c ? ([
            ["May cross", ["messages", ...(c.coordinate ?? [])].join(", ")],
            ["Rests after", c.keepAlive ? "never" : span(c.idle * 1000)],
            ["Keep alive", c.keepAlive ? "on" : "off"],
            ["Opened", r?.openedAt ? when(r.openedAt) : "not accepted"],
          ] as [string, React.ReactNode][]) : []),
        ]} />
        {r?.words && (
          <details className="mt-2.5" open>
            <summary className="cursor-pointer text-xs font-medium text-text-2">In plain words</summary>
            <div className="mt-1.5 flex flex-col gap-1.5 text-text-2">
              {r.words.split("\n").map((w, i) => (
                <p key={i} className="break-words">{w}</p>
              ))}
            </div>
          </details>
        )}
      </Part>
      {x && (
        <Part title={several ? `Crossed, ${l.peerName}` : "Crossed so far"}>
          <dl className="grid grid-cols-2 gap-2.5">
            {([["sent", x.sent], ["received", x.received], ["in the outbox", x.waiting], ["refused", x.refused + x.refusedHere]] as const).map(([what, n]) => (
              <div key={what} className="flex flex-col-reverse">
                <dt className="text-xs text-text-3">{what}</dt>
                <dd className="text-lg font-semibold">{n}</dd>
              </div>
            ))}
          </dl>
        </Part>
      )}
    </>
  );
}

function trip(t: LegRecord["answered"] | undefined): string {
  if (!t || t.count === 0) return "none yet";
  return t.count === 1 ? `after ${brief(t.medianMs)}` : `${brief(t.medianMs)}, at most ${brief(t.mostMs)} (${t.count})`;
}
