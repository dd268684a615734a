import clsx from "clsx";
import { useMemo } from "react";
import { lines } from "~/lib/diff";

/** A file's change, line by line. */
export function Diff({ path, before, after }: { path: string; before: string; after: string }) {
  const rows = useMemo(() => lines(before, after), [before, after]);
  return (
    <figure className="overflow-hidden rounded-md border border-border">
      <figcaption className="truncate border-b border-border bg-sunken px-3 py-1 font-mono text-xs">{path}</figcaption>
      <pre className="max-h-96 overflow-auto font-mono text-xs leading-5">
        {rows.map((r, i) => (
          <div key={i} className={clsx("px-3 whitespace-pre-wrap", r.sort === "+" ? "bg-add-soft text-add-text" : r.sort === "-" ? "bg-del-soft text-del-text" : r.sort === "…" ? "text-text-3" : "")}>
            {r.sort} {r.text}
          </div>
        ))}
      </pre>
    </figure>
  );
}
