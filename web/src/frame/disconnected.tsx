import { tryNow, useLink } from "~/api/state";
import { useNow } from "~/lib/now";
import { clock, span } from "~/lib/time";
import { Button } from "~/ui/button";

/** What is known stays readable while the daemon is away; this says that it is old. */
export function Disconnected() {
  const link = useLink();
  if (link.state !== "waiting") return null;
  return (
    <div role="alert" className="mr-2 mb-2 flex flex-wrap items-center gap-3 rounded-md border border-failed-line bg-failed-soft px-3 py-2 max-md:mx-2">
      <span className="min-w-0 flex-1">
        <strong className="font-semibold">The daemon is not reachable.</strong> {link.why}. What you see is from {clock(new Date(link.at).toISOString())}
        <Age at={link.at} />; nothing can be done until it is back. <Countdown until={link.until} trying={link.trying} />
      </span>
      <Button size="sm" onClick={tryNow} aria-disabled={link.trying || undefined}>
        Try now
      </Button>
    </div>
  );
}

function Age({ at }: { at: number }) {
  const old = useNow() - at;
  return old >= 60_000 ? <> ({span(old)} ago)</> : null;
}

// Off for who listens to the page: a screen reader would say each second.
function Countdown({ until, trying }: { until: number; trying: boolean }) {
  const left = until - useNow();
  return (
    <span aria-live="off" className="text-text-2">
      {trying || left <= 0 ? "Trying now." : `Next try in ${span(left + 999)}.`}
    </span>
  );
}
