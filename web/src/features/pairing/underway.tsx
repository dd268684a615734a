import { useQuery, useQueryClient } from "@tanstack/react-query";
import clsx from "clsx";
import { Check, Clock3, Laptop, Network, X } from "lucide-react";
import { useState, type ReactNode } from "react";
import { api, unwrap, type Pairing } from "~/api/client";
import { useSnapshot } from "~/api/state";
import { useNow } from "~/lib/now";
import { span } from "~/lib/time";
import { visible } from "~/lib/visible";
import { Button } from "~/ui/button";
import { Note, Refused } from "~/ui/note";
import { Badge } from "~/ui/status";
import { passage, refuser, rooms } from "./rooms";
import { Compare } from "./words";

/** A pairing from the first call to the yes of both users. */
export function UnderWay({ id, onAgain, onDone }: { id: string; onAgain: () => void; onDone: () => void }) {
  const client = useQueryClient();
  const pairing = useQuery({
    queryKey: ["pairings", id],
    queryFn: ({ signal }) => unwrap(api.GET("/api/federation/pair/{id}", { params: { path: { id } }, signal })),
  });
  const p = pairing.data;
  const [failed, setFailed] = useState<unknown>();
  const confirm = async (yes: boolean) => {
    if (!p?.words) return;
    setFailed(undefined);
    try {
      client.setQueryData(["pairings", id], await unwrap(api.POST("/api/federation/pair/{id}/confirm", { params: { path: { id } }, body: { yes, words: p.words.join(" ") } })));
    } catch (cause) {
      setFailed(cause);
    }
  };
  const cancel = async () => {
    try {
      await unwrap(api.DELETE("/api/federation/pair/{id}", { params: { path: { id } } }));
    } catch {
      // It has ended already.
    }
    onAgain();
  };
  if (pairing.isError) return <Refused what="The pairing cannot be followed." cause={pairing.error} retry={<Button onClick={onAgain}>Begin anew</Button>} />;
  if (!p) return null;
  return (
    <div className="flex flex-col gap-4" aria-live="polite">
      <Machines pairing={p} />
      <Hall pairing={p} />
      {p.state === "dialling" && p.failures > 0 && p.problem && <Failed pairing={p} />}
      {p.state === "dialling" && (
        <Note title={`Waiting for ${p.address ?? "the other machine"}${p.failures > 0 ? ", for another try" : ""}`} actions={<Button acts onClick={() => void cancel()}>Call it off</Button>}>
          Run <code className="font-mono text-xs">groove federation pair</code> there, or use its page, with this machine's address. {p.problem && p.failures === 0 && <>Until now, in the room {rooms[refuser(p)]}: {p.problem.detail}.</>} <Until at={p.until} />
        </Note>
      )}
      {p.state === "words" && p.words && <Compare words={p.words} peer={p.peerName ?? ""} left={<Until at={p.until} />} onSay={(yes) => void confirm(yes)} />}
      {p.state === "waiting" && (
        <Note title="You said yes">
          Nothing is stored until the user of <bdi>{visible(p.peerName ?? "")}</bdi> says so too. If one of the machines stops, both forget this attempt or both keep it. <Until at={p.until} />
        </Note>
      )}
      {p.state === "paired" && (
        <Note
          title={
            <>
              Paired with <bdi>{visible(p.peer?.name ?? p.peerName ?? "")}</bdi>
            </>
          }
          actions={
            <Button look="primary" onClick={onDone}>
              Done
            </Button>
          }
        >
          Both users confirmed, and each machine keeps the other's key. Nothing crosses yet: open a job, or spawn an agent that is connected to it.
        </Note>
      )}
      {p.state === "failed" && <Failed pairing={p} onAgain={onAgain} />}
      {failed !== undefined && <Refused what="Not said." cause={failed} />}
    </div>
  );
}

/** Where it was refused, and why; before the last try it goes on by itself. */
function Failed({ pairing: p, onAgain }: { pairing: Pairing; onAgain?: () => void }) {
  const left = 3 - p.failures;
  return (
    <Note tone="failed" title={<>Refused in the room {rooms[refuser(p)]} {p.problem && <code className="font-mono text-xs">{p.problem.kind}</code>}</>} actions={onAgain && <Button onClick={onAgain}>Begin anew</Button>}>
      {p.problem?.detail}. {p.problem?.fix && <>What helps: {p.problem.fix}.</>} Nothing was stored on either side.{" "}
      {p.problem?.kind === "pair.wordsDiffer" && <>If the words differ twice, do not pair over this network. </>}
      {p.failures > 0 && left > 0 && <>{left} of 3 tries {onAgain ? "were" : "are"} left.</>}
    </Note>
  );
}

/** Both machines, and which of their users has said yes. */
function Machines({ pairing: p }: { pairing: Pairing }) {
  const self = useSnapshot((s) => s.status);
  const mine = p.state === "waiting" || p.state === "paired";
  const theirs = p.state === "paired";
  return (
    <div className="grid grid-cols-[1fr_auto_1fr] items-center gap-4 max-md:grid-cols-1 max-md:gap-2">
      <Machine icon={<Laptop size={18} strokeWidth={1.75} />} name={self?.name ?? ""} about={<>this machine · <span className="font-mono">{self?.id.slice(0, 8)}</span></>} said={mine} />
      <span aria-hidden className="text-center tracking-widest text-remote-text">
        •••
      </span>
      <Machine remote icon={<Network size={18} strokeWidth={1.75} />} name={p.peer?.name || p.peerName || p.address || ""} about={<span className="font-mono">{[p.address, p.peerId?.slice(0, 8)].filter(Boolean).join(" · ")}</span>} said={theirs} />
    </div>
  );
}

function Machine({ icon, name, about, said, remote }: { icon: ReactNode; name: string; about: ReactNode; said: boolean; remote?: boolean }) {
  return (
    <div className={clsx("flex min-w-0 items-center gap-3 rounded-lg border p-3", remote ? (said ? "border-remote-line bg-remote-wash" : "border-dashed border-remote-line bg-remote-wash") : "border-border")}>
      <span aria-hidden className={clsx("grid size-9 flex-none place-items-center rounded-md border", remote ? "border-remote-line bg-remote-soft text-remote-text" : "border-border bg-sunken text-text-2")}>
        {icon}
      </span>
      <span className="min-w-0 flex-1">
        <bdi className="block truncate font-semibold">{visible(name)}</bdi>
        <span className="block truncate text-xs text-text-2">{about}</span>
      </span>
      <Badge className={said ? "bg-running-soft text-running-text" : "bg-hover text-text-2"}>{said ? "confirmed" : "not confirmed"}</Badge>
    </div>
  );
}

/** The rooms that a pairing passes, and where it was refused. */
function Hall({ pairing: p }: { pairing: Pairing }) {
  const all = passage(p);
  const now = all.indexOf("open");
  return (
    <ol aria-label="How far it is" className="grid grid-cols-6 max-md:grid-cols-3 max-md:gap-y-2">
      {rooms.map((name, i) => {
        const s = all[i];
        return (
          <li key={name} aria-current={i === now && p.state !== "failed" ? "step" : undefined} className={clsx("relative flex flex-col items-center gap-1 text-center text-xs", s === "passed" ? "text-text" : s === "refused" ? "font-semibold text-failed-text" : "text-text-3")}>
            <span aria-hidden className={clsx("grid size-4 place-items-center border-2", s === "passed" ? "rounded-full border-running bg-running text-surface" : s === "refused" ? "rounded-[3px] border-failed bg-failed text-surface" : "rounded-full border-border-strong bg-float")}>
              {s === "passed" ? <Check size={10} strokeWidth={3} /> : s === "refused" ? <X size={10} strokeWidth={3} /> : null}
            </span>
            {name}
            <span className="sr-only">{s === "passed" ? "passed" : s === "refused" ? "refused here" : "not reached"}</span>
          </li>
        );
      })}
    </ol>
  );
}

function Until({ at }: { at?: string }) {
  const left = at ? Date.parse(at) - useNow() : 0;
  return left > 0 ? (
    <span className="inline-flex items-center gap-1 text-xs text-text-2">
      <Clock3 size={12} aria-hidden /> {span(left)} left
    </span>
  ) : null;
}
