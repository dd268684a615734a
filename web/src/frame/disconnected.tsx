import { tryNow, useLink } from "~/api/state";
import { useNow } from "~/lib/now";
import { span } from "~/lib/time";
import { Button } from "~/ui/button";

/** What is known stays readable while the daemon is away; this says that it is old. */
export function Disconnected() {
  const link = useLink();
  if (link.state !== "waiting") return null;
  return (
    <div role="alert" className="mr-2 mb-2 flex flex-wrap items-center gap-3 rounded-md border border-failed-line bg-failed-soft px-3 py-2 max-md:mx-2">
      <span className="flex-1">
        <strong className="font-semibold">The daemon is not reachable.</strong> {link.why}. What you see is what was last known. <Countdown until={link.until} />
      </span>
      <Button size="sm" onClick={tryNow}>
        Try now
      </Button>
    </div>
  );
}

function Countdown({ until }: { until: number }) {
  const left = until - useNow();
  return left > 0 ? <span className="text-text-2">Next try in {span(left + 999)}.</span> : null;
}
