import { Timer } from "lucide-react";
import type { Approval } from "~/api/client";
import { useNow } from "~/lib/now";
import { span } from "~/lib/time";
import { Badge } from "~/ui/status";

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
