import clsx from "clsx";
import type { ReactNode } from "react";

/** A part of a panel, with its name. */
export function Section({ title, count, action, children, className }: { title?: ReactNode; count?: number; action?: ReactNode; children: ReactNode; className?: string }) {
  return (
    <section className={clsx("border-b border-border px-4 py-4 last:border-b-0", className)}>
      {(title || action) && (
        <div className="mb-2.5 flex min-h-7 items-center gap-2">
          <h2 className="text-sm">{title}</h2>
          {count !== undefined && <span className="text-text-3">{count}</span>}
          {action && <span className="ml-auto flex gap-1">{action}</span>}
        </div>
      )}
      {children}
    </section>
  );
}

/** Names and values, in two columns. A value that is not there is left out. */
export function Facts({ rows }: { rows: [name: string, value: ReactNode | undefined | false][] }) {
  return (
    <dl className="grid grid-cols-[minmax(104px,auto)_minmax(0,1fr)] gap-x-4 gap-y-2">
      {rows
        .filter(([, v]) => v !== undefined && v !== false && v !== "")
        .map(([k, v]) => (
          <div key={k} className="contents">
            <dt className="text-text-3">{k}</dt>
            <dd className="min-w-0 break-words">{v}</dd>
          </div>
        ))}
    </dl>
  );
}

export const Mono = ({ children }: { children: ReactNode }) => <bdi className="font-mono text-xs break-all">{children}</bdi>;
