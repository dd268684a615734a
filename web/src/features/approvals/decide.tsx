import { Check, X } from "lucide-react";
import { useMemo, useState } from "react";
import type { Approval } from "~/api/client";
import { useLink } from "~/api/state";
import { useShortcuts } from "~/lib/keys";
import { visible } from "~/lib/visible";
import { Button, Kbd } from "~/ui/button";
import { Note, Refused } from "~/ui/note";
import { clock } from "~/lib/time";
import { tooLate, useAnswer, useDecidedHere } from "./answer";
import type { Detail } from "./detail";
import { outcome, wordsOf } from "./words";

/** The buttons of an open question and what they do; of a closed one what became of it. */
export function Decide({ approval: a, detail, keys, large }: { approval: Approval; detail: Detail; keys?: boolean; large?: boolean }) {
  const { busy, failed, answer } = useAnswer(a);
  const [remember, setRemember] = useState(false);
  const here = useDecidedHere(a.id);
  const away = useLink().state !== "open";
  const w = wordsOf(a.kind);
  const give = (yes: boolean, option?: string) => void answer(yes, { option, remember: (remember && (yes ? detail.remember : detail.forbid) !== "") || undefined });
  useShortcuts(
    useMemo(
      () =>
        keys && a.state === "open" && !away
          ? [
              { keys: "a", name: w.yes, run: () => give(true) },
              { keys: "d", name: w.no, run: () => give(false) },
            ]
          : [],
      // eslint-disable-next-line react-hooks/exhaustive-deps
      [keys, a, busy, remember, away],
    ),
  );
  const late = failed !== undefined && tooLate(failed);
  if (a.state !== "open")
    return (
      <div className="flex flex-col gap-2">
        <Note title={outcome(a, here)}>{a.answered && <>At <time dateTime={a.answered}>{clock(a.answered)}</time>. {here ? "" : "The first answer stands."}</>}</Note>
        {late && <Refused what="Your answer came too late and changed nothing." cause={failed} />}
      </div>
    );
  const size = large ? "lg" : "md";
  const choices = detail.options.filter((o) => o.name);
  const off = busy || away;
  const why = away ? "the daemon does not answer" : undefined;
  return (
    <div className="flex flex-col gap-2.5">
      {failed !== undefined && <Refused what={late ? "Your answer came too late and changed nothing." : "Not answered."} cause={failed} />}
      <div className="flex flex-wrap gap-2">
        {choices.length > 2 ? (
          choices.map((o, i) => (
            <Button key={o.id} size={size} look={o.allow && i === choices.findIndex((c) => c.allow) ? "primary" : "default"} disabled={off} title={why} onClick={() => give(o.allow, o.id)}>
              {o.allow ? <Check size={16} /> : <X size={16} />}
              <bdi>{visible(o.name)}</bdi>
            </Button>
          ))
        ) : (
          <>
            <Button size={size} look={w.remote ? "remote" : "primary"} disabled={off} title={why} onClick={() => give(true)}>
              <Check size={16} /> {w.yes} {keys && <Kbd>A</Kbd>}
            </Button>
            <Button size={size} disabled={off} title={why} onClick={() => give(false)}>
              <X size={16} /> {w.no} {keys && <Kbd>D</Kbd>}
            </Button>
            {a.kind === "agent.stalled" && (
              <Button size={size} look="danger" disabled={off} title={why} onClick={() => give(false, "kill")}>
                End the agent
              </Button>
            )}
          </>
        )}
      </div>
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
        Yes: {w.does} No: {w.doesNot} {w.silence ?? "Silence is a no."}
      </p>
    </div>
  );
}
