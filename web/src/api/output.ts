import { useEffect, useState } from "react";
import { api, unwrap } from "~/api/client";
import { onOutput, useLink } from "~/api/state";
import { Transcript, type Item } from "~/lib/transcript";

type Output = { items: Item[]; ready: boolean; failed: unknown };

/** Reads one agent's output from its beginning and on: never twice, never a piece left out. */
class Reader {
  private readonly transcript = new Transcript();
  private readonly stop = new AbortController();
  private offset = 0;
  private reading = false;
  private again = false;

  constructor(
    private readonly agent: string,
    private readonly show: (update: (o: Output) => Output) => void,
  ) {}

  end(): void {
    this.stop.abort();
  }

  async read(): Promise<void> {
    if (this.reading) {
      this.again = true;
      return;
    }
    this.reading = true;
    try {
      do {
        this.again = false;
        const query = { offset: this.offset };
        const piece = await unwrap(api.GET("/api/agents/{name}/output", { params: { path: { name: this.agent }, query }, signal: this.stop.signal }));
        this.offset = piece.next;
        this.transcript.feed(piece.data);
        if (piece.data !== "") this.again = true;
        else this.show(() => ({ items: this.transcript.items, ready: true, failed: undefined }));
      } while (this.again && !this.stop.signal.aborted);
    } catch (failed) {
      // What was read stays in sight while the daemon is away.
      if (!this.stop.signal.aborted) this.show((o) => ({ ...o, ready: true, failed: o.items.length > 0 ? undefined : failed }));
    } finally {
      this.reading = false;
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
    const off = onOutput(agent, () => void now.read());
    return () => {
      now.end();
      off();
    };
  }, [agent]);
  useEffect(() => {
    if (open) void reader?.read();
  }, [reader, open]);
  return out;
}
