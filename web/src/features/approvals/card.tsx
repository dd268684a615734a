import clsx from "clsx";
import { Timer } from "lucide-react";
import { useMemo } from "react";
import type { Approval } from "~/api/client";
import { useNow } from "~/lib/now";
import { span } from "~/lib/time";
import { Badge } from "~/ui/status";
import { Decide } from "./decide";
import { read } from "./detail";
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
        <bdi>{a.title}</bdi>
      </h2>
      <Facts detail={detail} />
      <Decide approval={a} detail={detail} />
    </article>
  );
}

export const near = 10 * 60_000;
export const nearer = 60_000;

/** How long a question waits; silence is a no, so its end is told in time. */
export function Expiry({ approval: a }: { approval: Approval }) {
  const left = Date.parse(a.expires) - useNow();
  if (a.state !== "open") return null;
  const look = left < nearer ? "bg-failed-soft text-failed-text" : left < near ? "bg-awaiting-soft text-awaiting-text" : "text-text-3";
  return (
    <Badge className={look}>
      <Timer size={12} aria-hidden /> {left > 0 ? `expires in ${span(left)}` : "expired"}
    </Badge>
  );
}
