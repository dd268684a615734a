import clsx from "clsx";
import { Check, X } from "lucide-react";
import { useMemo, useState } from "react";
import { api, unwrap, type Approval } from "~/api/client";
import { useShortcuts } from "~/lib/keys";
import { useNow } from "~/lib/now";
import { clock, span } from "~/lib/time";
import { Button, Kbd } from "~/ui/button";
import { Diff } from "~/ui/diff";
import { Refused } from "~/ui/note";
import { Badge } from "~/ui/status";
import { read, type Detail } from "./detail";

const kinds: Record<string, string> = {
  permission: "Permission",
  "job.proposed": "Job proposed by a peer",
  "job.paused": "Job paused",
  "job.extend": "Later end of a job",
  "message.held": "Message held",
  "pair.words": "Pairing",
  "agent.stalled": "Agent without a sign of life",
  "agent.budget": "Budget spent",
  "turn.held": "Messages held before a turn",
  "scope.breach": "Changed outside its scope",
};

export function kindName(kind: string): string {
  return kinds[kind] ?? kind;
}

const effects: Record<string, [yes: string, no: string]> = {
  permission: ["Its program goes on with this", "Its program is told no, and goes on without"],
  "job.proposed": ["The job opens: the agents named may write to each other", "The peer is told no"],
  "message.held": ["The message goes into the agent's inbox", "The sender is told that it was refused"],
  "pair.words": ["You say that both machines show the same words", "Nothing is paired, and the other side is told"],
  "turn.held": ["The agent reads these messages", "They are refused, and their senders told"],
};

/** Everything that is needed to decide, and what a yes and a no do. */
export function ApprovalCard({ approval: a, keys, large }: { approval: Approval; keys?: boolean; large?: boolean }) {
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<unknown>();
  const [remember, setRemember] = useState(false);
  const detail = useMemo(() => read(a), [a]);
  const answer = async (yes: boolean, option?: string) => {
    if (busy) return;
    setBusy(true);
    setFailed(undefined);
    try {
      await unwrap(api.POST("/api/approvals/{id}", { params: { path: { id: a.id } }, body: { answer: yes ? "approve" : "reject", option, remember: (remember && (yes ? detail.remember : detail.forbid) !== "") || undefined } }));
    } catch (cause) {
      setFailed(cause);
    } finally {
      setBusy(false);
    }
  };
  useShortcuts(
    useMemo(
      () =>
        keys && a.state === "open"
          ? [
              { keys: "a", name: "Approve", run: () => void answer(true) },
              { keys: "d", name: "Decline", run: () => void answer(false) },
            ]
          : [],
      // eslint-disable-next-line react-hooks/exhaustive-deps
      [keys, a, busy, remember],
    ),
  );
  const remote = a.kind.startsWith("job.") || a.kind === "message.held" || a.kind === "pair.words" || a.kind === "turn.held";
  const [yes, no] = effects[a.kind] ?? ["You say yes", "You say no"];
  const options = detail.options.filter((o) => o.name);
  return (
    <article aria-label={a.title} className={clsx("flex flex-col gap-3 rounded-lg border p-4", large && "max-w-3xl", remote ? "border-remote-line bg-remote-wash" : a.state === "open" ? "border-awaiting-line bg-surface" : "border-border bg-surface")}>
      <header className="flex flex-wrap items-center gap-2">
        <Badge className={remote ? "bg-remote-soft text-remote-text" : "bg-awaiting-soft text-awaiting-text"}>{kindName(a.kind)}</Badge>
        <span className="font-mono text-xs text-text-3">{a.id}</span>
        <Expiry approval={a} />
      </header>
      <h2 className={clsx("break-words", large ? "text-xl" : "text-md")}>
        <bdi>{a.title}</bdi>
      </h2>
      <Facts detail={detail} />
      {a.state === "open" ? (
        <>
          {options.length > 2 ? (
            <div className="flex flex-wrap gap-2">
              {options.map((o) => (
                <Button acts key={o.id} size={large ? "lg" : "md"} look={o.allow ? "primary" : "default"} disabled={busy} onClick={() => void answer(o.allow, o.id)}>
                  {o.allow ? <Check size={16} /> : <X size={16} />}
                  <bdi>{o.name}</bdi>
                </Button>
              ))}
            </div>
          ) : (
            <div className="flex flex-wrap gap-2">
              <Button acts size={large ? "lg" : "md"} look={remote ? "remote" : "primary"} disabled={busy} onClick={() => void answer(true)}>
                <Check size={16} /> Approve {keys && <Kbd>A</Kbd>}
              </Button>
              <Button acts size={large ? "lg" : "md"} disabled={busy} onClick={() => void answer(false)}>
                <X size={16} /> Decline {keys && <Kbd>D</Kbd>}
              </Button>
            </div>
          )}
          {detail.remember && (
            <label className="flex items-start gap-2 text-xs text-text-2">
              <input type="checkbox" checked={remember} onChange={(e) => setRemember(e.target.checked)} className="mt-0.5 size-4 accent-(--accent)" />
              <span className="min-w-0 break-words">
                Remember: a yes adds the rule <code className="font-mono">{detail.remember}</code>
                {detail.forbid && (
                  <>
                    , a no <code className="font-mono">{detail.forbid}</code>
                  </>
                )}
              </span>
            </label>
          )}
          <p className="text-xs text-text-3">
            Approve: {yes}. Decline: {no}. Silence is a no.
          </p>
        </>
      ) : (
        <p className="text-text-2">
          {a.state}
          {a.answered && ` at ${clock(a.answered)}`}
        </p>
      )}
      {failed !== undefined && <Refused what="Not answered." cause={failed} />}
    </article>
  );
}

function Expiry({ approval: a }: { approval: Approval }) {
  const left = Date.parse(a.expires) - useNow();
  if (a.state !== "open") return null;
  return <span className={clsx("ml-auto text-xs", left < 10 * 60_000 ? "text-awaiting-text" : "text-text-3")}>{left > 0 ? `expires in ${span(left)}` : "expired"}</span>;
}

function Facts({ detail }: { detail: Detail }) {
  return (
    <div className="flex min-w-0 flex-col gap-3">
      {detail.words.length > 0 && <p className="font-mono text-2xl break-words">{detail.words.join(" ")}</p>}
      {detail.plain && <p className="max-w-[68ch] text-md whitespace-pre-wrap">{detail.plain}</p>}
      {detail.command && <pre className="overflow-x-auto rounded-md border border-border bg-sunken p-3 font-mono text-xs whitespace-pre-wrap">{detail.command}</pre>}
      {detail.paths.length > 0 && <p className="font-mono text-xs break-all whitespace-pre-wrap">{detail.paths.join("\n")}</p>}
      {detail.diffs.map((d, i) => (
        <Diff key={i} {...d} />
      ))}
      {detail.texts.map((t, i) => (
        <blockquote key={i} className="max-h-80 overflow-auto rounded-md border border-remote-line bg-remote-wash px-3 py-2 text-md break-words whitespace-pre-wrap">
          {t}
        </blockquote>
      ))}
      {detail.facts.length > 0 && (
        <dl className="grid grid-cols-[minmax(96px,auto)_1fr] gap-x-4 gap-y-1.5">
          {detail.facts.map(([k, v]) => (
            <div key={k} className="contents">
              <dt className="text-text-3">{k}</dt>
              <dd className="min-w-0 break-words">
                <bdi>{v}</bdi>
              </dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  );
}
