import clsx from "clsx";
import { useMemo } from "react";
import type { Approval } from "~/api/client";
import { visible } from "~/lib/visible";
import { Badge } from "~/ui/status";
import { Decide } from "./decide";
import { read } from "./detail";
import { Expiry } from "./expiry";
import { Facts } from "./facts";
import { nameOf, wordsOf } from "./words";

/** A question where another view tells of it: everything that is needed to decide, and what a yes and a no do. */
export function ApprovalCard({ approval: a }: { approval: Approval }) {
  const detail = useMemo(() => read(a), [a]);
  const remote = wordsOf(a.kind).remote;
  return (
    <article aria-label={a.title} className={clsx("flex flex-col gap-3 rounded-lg border p-4", remote ? "border-remote-line bg-remote-wash" : a.state === "open" ? "border-awaiting-line bg-surface" : "border-border bg-surface")}>
      <header className="flex flex-wrap items-center gap-2">
        <Badge className={remote ? "bg-remote-soft text-remote-text" : "bg-awaiting-soft text-awaiting-text"}>{nameOf(a, detail)}</Badge>
        <span className="font-mono text-xs text-text-3">{a.id}</span>
        <span className="ml-auto">
          <Expiry approval={a} />
        </span>
      </header>
      <h2 className="text-md break-words">
        <bdi>{visible(a.title)}</bdi>
      </h2>
      <Facts detail={detail} />
      <Decide approval={a} detail={detail} />
    </article>
  );
}
