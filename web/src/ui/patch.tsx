import clsx from "clsx";
import { useMemo } from "react";
import { rowsOf } from "~/lib/patch";
import { visible } from "~/lib/visible";

const looks = { hunk: "", note: "", " ": "", "+": "bg-add-soft text-add-text", "-": "bg-del-soft text-del-text" } as const;

/** A unified diff with the line numbers of both sides. */
export function Patch({ diff, more }: { diff: string; more?: boolean }) {
  const { rows, more: left } = useMemo(() => rowsOf(diff), [diff]);
  if (rows.length === 0) return <p className="p-4 text-text-2">No line is changed.</p>;
  return (
    <div className="min-w-max pb-4 font-mono text-xs leading-5">
      {rows.map((r, i) =>
        r.sort === "hunk" || r.sort === "note" ? (
          <div key={i} className={clsx("px-4 py-0.5", r.sort === "hunk" ? "border-y border-border bg-sunken text-text-2 first:border-t-0" : "font-sans text-text-2")}>
            {r.text}
          </div>
        ) : (
          <div key={i} className={clsx("flex pr-4", looks[r.sort])}>
            <Line n={r.before} />
            <Line n={r.after} />
            <span aria-hidden className="w-5 flex-none text-center select-none">
              {r.sort === "-" ? "−" : r.sort}
            </span>
            <span className="whitespace-pre">{visible(r.text) || " "}</span>
          </div>
        ),
      )}
      {(more || left > 0) && <p className="px-4 py-2 font-sans text-awaiting-text">{left > 0 ? `${left} lines more are not shown.` : "The rest is left out: it is over 256 KiB."}</p>}
    </div>
  );
}

function Line({ n }: { n: number | undefined }) {
  return (
    <span aria-hidden className="w-10 flex-none pr-2 text-right text-text-3 select-none">
      {n ?? ""}
    </span>
  );
}
