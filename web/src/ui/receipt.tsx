import clsx from "clsx";
import type { Mail } from "~/api/client";

const steps = ["queued", "stored", "delivered", "started", "answered"] as const;
const rank: Record<string, number> = { queued: 1, sent: 1, held: 1, stored: 2, delivering: 2, delivered: 3, started: 4, answered: 5 };
const ended = ["refused", "expired", "cancelled", "quarantined"];

/** How far a message has come: five segments and the furthest state. Nothing claims to have arrived. */
export function Receipt({ mail }: { mail: Mail }) {
  const bad = ended.includes(mail.state);
  const n = rank[mail.state] ?? 0;
  const remote = mail.direction !== "local";
  return (
    <span className="inline-flex flex-wrap items-center gap-1.5 text-xs text-text-3" title={mail.note || undefined}>
      <span aria-hidden className="inline-flex gap-0.5">
        {steps.map((s, i) => (
          <span key={s} className={clsx("h-1 w-2 rounded-[1px]", bad ? "bg-failed-line" : i < n ? (remote ? "bg-remote" : "bg-text-3") : "bg-active")} />
        ))}
      </span>
      <span className={clsx(bad && "text-failed-text", mail.state === "queued" && "text-awaiting-text")}>
        {mail.state}
        {bad && mail.kind ? ` (${mail.kind})` : ""}
      </span>
      {mail.note && <span className="break-words">{mail.note}</span>}
    </span>
  );
}
