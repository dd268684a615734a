import { useEffect, useRef, useState } from "react";
import { useLink } from "~/api/state";
import { Button } from "~/ui/button";

/** Says that the daemon that came back serves another build of the page. */
export function Updated() {
  const { state } = useLink();
  const lost = useRef(false);
  const [stale, set] = useState(false);
  useEffect(() => {
    if (state === "waiting") lost.current = true;
    if (state !== "open" || !lost.current) return;
    lost.current = false;
    const stop = new AbortController();
    void isOurs(stop.signal).then((ours) => set(!ours), () => undefined);
    return () => stop.abort();
  }, [state]);
  if (!stale) return null;
  return (
    <div role="status" className="mr-2 mb-2 flex flex-wrap items-center gap-3 rounded-md border border-accent-line bg-accent-soft px-3 py-2 max-md:mx-2">
      <span className="min-w-0 flex-1">
        <strong className="font-semibold">groove was updated.</strong> This page is of the build before: what you have not opened yet may be missing.
      </span>
      <Button size="sm" look="primary" onClick={() => location.reload()}>
        Reload
      </Button>
    </div>
  );
}

const script = /<script[^>]+src="(\/assets\/[^"]+)"/;

/** Whether the page that is served now names the script that this one runs. One without scripts says nothing. */
async function isOurs(signal: AbortSignal): Promise<boolean> {
  const page = await (await fetch("/", { cache: "no-store", signal })).text();
  const now = script.exec(page)?.[1];
  return !now || document.querySelector(`script[src="${now}"]`) !== null;
}
