import type { Agent } from "~/api/client";
import { Note } from "~/ui/note";

/** How far an agent's program has come while it starts, and why it came to nothing. */
export function Launch({ agent: a }: { agent: Agent }) {
  if (a.process === "starting" || a.session === "opening")
    return (
      <p role="status" className="flex flex-none items-center gap-2 border-b border-border bg-sunken px-4 py-2 text-text-2">
        <span aria-hidden className="size-2 flex-none animate-running rounded-full bg-running" />
        <span className="min-w-0">
          {a.program} starts{a.progress && <>: <bdi>{a.progress}</bdi></>}. What you write now waits for it.
        </span>
      </p>
    );
  if ((a.status === "failed" || a.status === "crashed") && a.turns === 0 && a.reason)
    return (
      <div className="flex-none border-b border-border p-3">
        <Note tone="failed" title="Its program did not come up">
          <bdi className="break-words">{a.reason}</bdi>
        </Note>
      </div>
    );
  return null;
}
