import clsx from "clsx";
import { Refusal } from "~/api/client";
import type { ReactNode } from "react";
import { span } from "~/lib/time";

const tones = {
  plain: "bg-sunken border-border text-text-2",
  remote: "bg-remote-wash border-remote-line text-text",
  failed: "bg-failed-soft border-failed-line text-text",
  awaiting: "bg-awaiting-soft border-awaiting-line text-text",
} as const;

export function Note({ tone = "plain", title, children, actions }: { tone?: keyof typeof tones; title?: ReactNode; children?: ReactNode; actions?: ReactNode }) {
  return (
    <div role={tone === "failed" ? "alert" : undefined} className={clsx("flex flex-col gap-2 rounded-md border px-3 py-2.5", tones[tone])}>
      {title && <strong className="font-semibold text-text">{title}</strong>}
      {children && <div className="max-w-[68ch]">{children}</div>}
      {actions && <div className="flex flex-wrap gap-2">{actions}</div>}
    </div>
  );
}

/** What was refused, why, and the way out: a refusal is never hidden in a toast. */
export function Refused({ what, cause, retry }: { what: string; cause: unknown; retry?: ReactNode }) {
  const refusal = cause instanceof Refusal ? cause : undefined;
  const why = cause instanceof Error ? cause.message : String(cause);
  return (
    <Note tone="failed" title={<>{what} {refusal && <code className="font-mono text-xs">{refusal.kind}</code>}</>} actions={retry}>
      <p className="break-words">{why}</p>
      {(refusal?.problem.errors ?? []).length > 0 && (
        <ul className="mt-1">
          {refusal?.problem.errors?.map((f, i) => (
            <li key={i} className="break-words">
              {f.path && <code className="font-mono text-xs">{f.path}</code>} {f.message}
            </li>
          ))}
        </ul>
      )}
      {!!refusal?.problem.retryAfter && <p className="mt-1 text-text-2">Try again in {span(refusal.problem.retryAfter + 999)}.</p>}
      {refusal?.fix && <p className="mt-1 text-text-2">What helps: <code className="font-mono text-xs break-words">{refusal.fix}</code></p>}
    </Note>
  );
}

/** What this is, one sentence, one way on. */
export function Empty({ icon, title, children, action }: { icon?: ReactNode; title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="mx-auto flex max-w-md animate-appear flex-col items-center gap-3 px-6 py-16 text-center">
      {icon && <div className="rounded-lg border border-border bg-sunken p-3 text-text-3">{icon}</div>}
      <h2 className="text-lg">{title}</h2>
      {children && <p className="text-text-2 text-pretty">{children}</p>}
      {action}
    </div>
  );
}

export function Skeleton({ rows = 4 }: { rows?: number }) {
  return (
    <div aria-busy aria-label="Loading" className="flex flex-col gap-3 p-4 opacity-0 [animation:appear_170ms_150ms_forwards]" style={{ animationFillMode: "forwards" }}>
      {Array.from({ length: rows }, (_, i) => (
        <div key={i} className="h-9 rounded-md bg-hover" />
      ))}
    </div>
  );
}
