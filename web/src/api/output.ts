import { useEffect, useState } from "react";
import { api, unwrap } from "~/api/client";
import { Pace } from "~/api/pace";
import { onOutput, useLink } from "~/api/state";
import { Transcript, type Item } from "~/lib/transcript";

/** A piece this long may not be the last: the daemon answers a part at a time. */
const long = 16_000;

type Output = { items: Item[]; ready: boolean; failed: unknown };

/** Reads one agent's output from its beginning and on: never twice, never a piece left out. */
class Reader {
  out: Output = { items: [], ready: false, failed: undefined };
  private readonly transcript = new Transcript();
  private readonly watchers = new Set<(o: Output) => void>();
  private stop = new AbortController();
  private offset = 0;
  private readonly pace = new Pace(() => this.read());

  constructor(private readonly agent: string) {}

  /** Tells fn of what was read, until the function that it returns is called. */
  watch(fn: (o: Output) => void): () => void {
    if (this.watchers.size === 0) this.stop = new AbortController();
    this.watchers.add(fn);
    return () => {
      this.watchers.delete(fn);
      if (this.watchers.size === 0) this.stop.abort();
    };
  }

  /** There is more to read. */
  grew(): void {
    this.pace.want();
  }

  private async read(): Promise<void> {
    const { signal } = this.stop;
    try {
      for (let more = true; more && !signal.aborted; ) {
        const query = { offset: this.offset };
        const piece = await unwrap(api.GET("/api/agents/{name}/output", { params: { path: { name: this.agent }, query }, signal }));
        this.offset = piece.next;
        this.transcript.feed(piece.data);
        more = piece.data.length > long;
      }
      this.tell({ items: this.transcript.items, ready: true, failed: undefined });
    } catch (failed) {
      // What was read stays in sight while the daemon is away.
      if (!signal.aborted) this.tell({ ...this.out, ready: true, failed: this.out.items.length > 0 ? undefined : failed });
    }
  }

  private tell(now: Output): void {
    this.out = now;
    this.watchers.forEach((fn) => fn(now));
  }
}

/** The last agents that were looked at: who comes back to one, also while the daemon is away, finds it as it was. */
const kept = new Map<string, Reader>();
const most = 8;

function readerOf(agent: string, since: string): Reader {
  const key = agent + " " + since;
  const reader = kept.get(key) ?? new Reader(agent);
  kept.delete(key);
  kept.set(key, reader);
  for (const old of [...kept.keys()].slice(0, -most)) kept.delete(old);
  return reader;
}

/** What the agent of that name, that was spawned then, has said and done. */
export function useOutput(agent: string, since: string): Output {
  const [reader, setReader] = useState(() => readerOf(agent, since));
  const [out, set] = useState<Output>(reader.out);
  const open = useLink().state === "open";
  useEffect(() => {
    const now = readerOf(agent, since);
    setReader(now);
    set(now.out);
    const off = now.watch(set);
    const deaf = onOutput(agent, () => now.grew());
    return () => {
      off();
      deaf();
    };
  }, [agent, since]);
  useEffect(() => {
    if (open) reader.grew();
  }, [reader, open]);
  return out;
}
