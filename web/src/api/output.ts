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
  private readonly transcript = new Transcript();
  private readonly stop = new AbortController();
  private offset = 0;
  private readonly pace = new Pace(() => this.read());

  constructor(
    private readonly agent: string,
    private readonly show: (update: (o: Output) => Output) => void,
  ) {}

  end(): void {
    this.pace.end();
    this.stop.abort();
  }

  /** There is more to read. */
  grew(): void {
    this.pace.want();
  }

  private async read(): Promise<void> {
    try {
      for (let more = true; more && !this.stop.signal.aborted; ) {
        const query = { offset: this.offset };
        const piece = await unwrap(api.GET("/api/agents/{name}/output", { params: { path: { name: this.agent }, query }, signal: this.stop.signal }));
        this.offset = piece.next;
        this.transcript.feed(piece.data);
        more = piece.data.length > long;
      }
      this.show(() => ({ items: this.transcript.items, ready: true, failed: undefined }));
    } catch (failed) {
      // What was read stays in sight while the daemon is away.
      if (!this.stop.signal.aborted) this.show((o) => ({ ...o, ready: true, failed: o.items.length > 0 ? undefined : failed }));
    }
  }
}

const nothing: Output = { items: [], ready: false, failed: undefined };

export function useOutput(agent: string): Output {
  const [out, set] = useState<Output>(nothing);
  const [reader, setReader] = useState<Reader>();
  const open = useLink().state === "open";
  useEffect(() => {
    const now = new Reader(agent, set);
    set(nothing);
    setReader(now);
    const off = onOutput(agent, () => now.grew());
    return () => {
      now.end();
      off();
    };
  }, [agent]);
  useEffect(() => {
    if (open) reader?.grew();
  }, [reader, open]);
  return out;
}
