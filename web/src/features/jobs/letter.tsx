import clsx from "clsx";
import { ArrowLeft, ArrowRight, Clock3, CircleHelp, Handshake, Link2, Link2Off, Pause, Play, Timer, TriangleAlert, X } from "lucide-react";
import { memo, type ReactNode } from "react";
import type { JobNote, Mail } from "~/api/client";
import { clock } from "~/lib/time";
import { visible } from "~/lib/visible";
import { Long } from "~/ui/long";
import { Way } from "~/ui/way";
import { said } from "./timeline";
import { own } from "~/lib/own";

const waits = (m: Mail) => m.direction === "out" && ["queued", "sent", "held"].includes(m.state);

/** A message in the lane of the machine that it comes from; in orchid what is a peer's. */
export const Letter = memo(function Letter({ mail: m, several }: { mail: Mail; several: boolean }) {
  const theirs = m.direction === "in";
  const other = several ? <span className="text-text-3"> on <bdi>{visible(m.peerName ?? "")}</bdi></span> : null;
  const name = (n: string, remote: boolean) => (
    <>
      <bdi className={clsx("font-semibold", remote && "text-remote-text")}>{visible(n !== "user" ? n : remote ? `user of ${m.peerName}` : "You")}</bdi>
      {remote && n !== "user" && other}
    </>
  );
  const Arrow = waits(m) ? Clock3 : theirs ? ArrowLeft : ArrowRight;
  const card = (
    <article aria-label={`${m.from} to ${m.to}`} className={clsx("min-w-0 rounded-lg border px-3 pt-2 pb-2.5", theirs ? "border-remote-line bg-remote-wash max-md:ml-6" : "border-border bg-surface max-md:mr-6")}>
      <header className="mb-0.5 flex flex-wrap items-baseline gap-x-1.5">
        {name(m.from, theirs)} <span className="text-text-3">to</span> {m.to === "user" && theirs ? <span className="font-semibold">you</span> : name(m.to, !theirs)}
        <time dateTime={m.at} className="ml-auto text-xs text-text-3 md:hidden">
          {clock(m.at)}
        </time>
      </header>
      <div className="text-md break-words whitespace-pre-wrap">
        <Long text={m.text} />
      </div>
      {(m.attachments ?? []).map((f, i) => (
        <details key={i} className="mt-1.5 border-t border-border pt-1.5 text-xs">
          <summary className="cursor-pointer">
            <bdi>{visible(f.name)}</bdi> ({f.mediaType})
          </summary>
          <pre className="max-h-80 overflow-auto font-mono whitespace-pre-wrap">{f.text}</pre>
        </details>
      ))}
      <Way mail={m} />
    </article>
  );
  return (
    <div className="grid grid-cols-[minmax(0,1fr)_72px_minmax(0,1fr)] items-start max-md:block">
      {theirs ? <span className="max-md:hidden" /> : card}
      <div className="relative self-stretch pt-2 text-center text-xs text-text-3 max-md:hidden">
        <time dateTime={m.at} title={new Date(m.at).toLocaleString()}>
          {clock(m.at)}
        </time>
        <Arrow size={14} aria-hidden className="relative z-1 mx-auto mt-0.5 bg-surface text-remote-text" />
        <span aria-hidden className="absolute top-11 -bottom-3 left-1/2 border-l-[1.5px] border-dashed border-remote-line" />
      </div>
      {theirs ? card : <span className="max-md:hidden" />}
    </div>
  );
});

const icons: Record<string, typeof Clock3> = {
  "job.open": Handshake,
  "job.proposed": Handshake,
  opened: Handshake,
  connect: Link2,
  disconnect: Link2Off,
  "job.pause": Pause,
  "job.resume": Play,
  "job.extend": Timer,
  "job.close": X,
  asked: CircleHelp,
};

/** What happened, on the line between the lanes. */
export function Happened({ note, self, opener, question }: { note: JobNote; self: string; opener: string; question?: ReactNode }) {
  const s = said(note, self, opener);
  const Icon = s.bad ? TriangleAlert : (own(icons, note.event) ?? Clock3);
  if (question) return <div className="relative z-1 bg-surface">{question}</div>;
  return (
    <div className="relative z-1 flex justify-center">
      <div className={clsx("flex max-w-[92%] items-start gap-1.5 rounded-xl border bg-surface px-3 py-1 text-xs", s.bad ? "border-failed-line text-failed-text" : "border-border text-text-2")}>
        <Icon size={12} aria-hidden className="mt-0.5 flex-none" />
        <span className="min-w-0 break-words">
          {s.text} at <time dateTime={note.at}>{clock(note.at)}</time>
          {s.words && (
            <>
              : <q className="text-text">{s.words}</q>
            </>
          )}
        </span>
      </div>
    </div>
  );
}
