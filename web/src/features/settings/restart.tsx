import { Note } from "~/ui/note";
import type { Setting } from "./queries";

/** Says what waits for the daemon's next start, and the command that brings it. */
export function Restart({ settings }: { settings: Setting[] }) {
  const waiting = settings.filter((s) => s.next).map((s) => s.key);
  if (waiting.length === 0) return null;
  return (
    <Note tone="awaiting" title="The daemon runs with what it read at its start">
      <p>
        <code className="font-mono text-xs">groove restart</code> takes {waiting.join(", ")}. Jobs rest meanwhile, agents go on with their sessions, and this page comes back by itself.
      </p>
    </Note>
  );
}
