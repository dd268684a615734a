import clsx from "clsx";
import { Check, Eye, FileDiff, Handshake, Hourglass, Link2, MessageSquare, Search, TerminalSquare, TriangleAlert, Wallet, Wrench, X } from "lucide-react";
import { useMemo, useState } from "react";
import type { Approval } from "~/api/client";
import { useNow } from "~/lib/now";
import { ago, span } from "~/lib/time";
import { visible } from "~/lib/visible";
import { Button } from "~/ui/button";
import { say as toast } from "~/ui/toast";
import { say, tooLate } from "./answer";
import { near, nearer } from "./expiry";
import { read } from "./detail";
import { nameOf, wordsOf } from "./words";
import { own } from "~/lib/own";

const icons: Record<string, typeof Eye> = { "job.proposed": Handshake, "job.paused": Handshake, "job.extend": Handshake, "message.held": MessageSquare, "turn.held": MessageSquare, "pair.words": Link2, "agent.stalled": Hourglass, "agent.budget": Wallet, "scope.breach": TriangleAlert };
const sorts: Record<string, typeof Eye> = { read: Eye, search: Search, edit: FileDiff, delete: FileDiff, move: FileDiff, execute: TerminalSquare };

export function KindIcon({ approval: a, sort, large }: { approval: Approval; sort: string; large?: boolean }) {
  const Icon = own(icons, a.kind) ?? own(sorts, sort) ?? Wrench;
  return (
    <span aria-hidden className={clsx("grid flex-none place-items-center rounded-md border", large ? "size-9" : "size-7", wordsOf(a.kind).remote ? "border-remote-line bg-remote-soft text-remote-text" : "border-border bg-sunken text-text-2")}>
      <Icon size={large ? 18 : 16} strokeWidth={1.75} />
    </span>
  );
}

type RowProps = { approval: Approval; current: boolean; onGo: (a: Approval) => void; picked?: boolean; onPick?: (on: boolean) => void };

export function Row({ approval: a, current, onGo, picked, onPick }: RowProps) {
  const d = useMemo(() => read(a), [a]);
  return (
    <div className={clsx("flex items-start border-b border-border hover:bg-hover", current && "!bg-accent-soft")}>
      {onPick && (
        <label className="flex self-stretch pt-3.5 pl-3.5 max-md:w-11 max-md:justify-center max-md:pl-2">
          <input type="checkbox" aria-label={`Choose ${a.title}`} checked={picked} onChange={(e) => onPick(e.target.checked)} className="size-4 accent-(--accent)" />
        </label>
      )}
      <button type="button" aria-current={current} onClick={() => onGo(a)} className="grid min-w-0 flex-1 grid-cols-[28px_minmax(0,1fr)_auto] gap-x-2.5 px-3.5 py-2.5 text-left focus-visible:-outline-offset-2">
        <span className="row-span-2">
          <KindIcon approval={a} sort={d.sort} />
        </span>
        <span className="truncate font-medium">{nameOf(a, d)}</span>
        <Left approval={a} />
        <bdi className="col-span-2 line-clamp-2 text-xs break-words text-text-2">{visible(a.title)}</bdi>
      </button>
    </div>
  );
}

function Left({ approval: a }: { approval: Approval }) {
  const now = useNow();
  if (a.state !== "open") return <span className="text-xs text-text-3">{a.state} {ago(a.answered, now)}</span>;
  const left = Date.parse(a.expires) - now;
  return <span className={clsx("text-xs", left < nearer ? "font-semibold text-failed-text" : left < near ? "text-awaiting-text" : "text-text-3")}>{left > 0 ? span(left) : "expired"}</span>;
}

/** Questions of a kind that changes nothing: several may be decided at once, those that are picked. */
export function Group({ name, of, current, onGo }: { name: string; of: Approval[]; current?: string; onGo: (a: Approval) => void }) {
  const [picked, pick] = useState<ReadonlySet<string>>(new Set());
  const [busy, setBusy] = useState(false);
  const chosen = of.filter((a) => picked.has(a.id));
  const all = chosen.length === of.length;
  const decide = async (yes: boolean) => {
    setBusy(true);
    let done = 0;
    let late = 0;
    let failed = 0;
    for (const a of chosen) {
      try {
        await say(a, yes);
        done++;
      } catch (cause) {
        if (tooLate(cause)) late++;
        else failed++;
      }
    }
    setBusy(false);
    pick(new Set());
    toast([`${done} ${yes ? "approved" : "declined"}`, late && `${late} decided elsewhere before`, failed && `${failed} failed and still wait`].filter(Boolean).join(", "));
  };
  return (
    <section aria-label={`${name}, may be decided together`}>
      <h2 className="border-b border-border bg-sunken px-3.5 pt-2.5 pb-1.5 text-xs font-medium text-text-3">{name}: nothing changes, may be decided together</h2>
      <div className="flex flex-wrap items-center gap-2 border-b border-border px-3.5 py-2">
        <label className="flex items-center gap-2 text-xs max-md:min-h-11">
          <input type="checkbox" checked={all} onChange={() => pick(all ? new Set() : new Set(of.map((a) => a.id)))} className="size-4 accent-(--accent)" /> All {of.length}
        </label>
        <span className="flex-1" />
        <Button acts size="sm" disabled={busy || chosen.length === 0} title={chosen.length === 0 ? "Choose some first" : undefined} onClick={() => void decide(true)}>
          <Check size={14} /> Approve {chosen.length || ""}
        </Button>
        <Button acts size="sm" disabled={busy || chosen.length === 0} title={chosen.length === 0 ? "Choose some first" : undefined} onClick={() => void decide(false)}>
          <X size={14} /> Decline {chosen.length || ""}
        </Button>
      </div>
      {of.map((a) => (
        <Row
          key={a.id}
          approval={a}
          current={a.id === current}
          onGo={onGo}
          picked={picked.has(a.id)}
          onPick={(on) => pick(new Set(on ? [...picked, a.id] : [...picked].filter((id) => id !== a.id)))}
        />
      ))}
    </section>
  );
}
