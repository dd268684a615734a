import { api, Refusal, unwrap, type GrooveEvent } from "./client";

export type Link =
  | { state: "connecting" }
  | { state: "open" }
  | { state: "waiting"; why: string; until: number }
  | { state: "shut"; why: string };

type Handlers = {
  /** The number to go on from, after the state was read anew. Rejects as the client does. */
  begin(): Promise<number>;
  events(batch: GrooveEvent[]): void;
  link(now: Link): void;
};

const first = 500;
const longest = 15_000;

/**
 * The one socket of a page. It resumes by number, so that nothing is missed or shown twice;
 * where the daemon no longer has what came between, `begin` reads the state anew.
 */
export class Socket {
  private since: number | undefined;
  private socket: WebSocket | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private wait = first;
  private ended = false;

  constructor(private readonly handlers: Handlers) {}

  start(): void {
    void this.connect();
  }

  /** Tries at once instead of at the end of the wait. */
  now(): void {
    if (!this.timer) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    void this.connect();
  }

  end(): void {
    this.ended = true;
    clearTimeout(this.timer);
    this.socket?.close();
  }

  private async connect(): Promise<void> {
    this.timer = undefined;
    this.handlers.link({ state: "connecting" });
    try {
      this.since ??= await this.handlers.begin();
      const { ticket } = await unwrap(api.POST("/api/tickets"));
      if (this.ended) return;
      this.listen(ticket);
    } catch (cause) {
      if (cause instanceof Refusal && cause.status === 401) {
        this.ended = true;
        this.handlers.link({ state: "shut", why: cause.message });
        return;
      }
      this.later(cause instanceof Error ? cause.message : "the daemon does not answer");
    }
  }

  private listen(ticket: string): void {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const query = new URLSearchParams({ since: String(this.since), ticket });
    const socket = new WebSocket(`${scheme}//${location.host}/api/events?${query}`);
    this.socket = socket;
    socket.onopen = () => {
      this.wait = first;
      this.handlers.link({ state: "open" });
    };
    socket.onmessage = (message: MessageEvent<string>) => {
      const batch = JSON.parse(message.data) as GrooveEvent[];
      for (const e of batch) if (e.n) this.since = e.n;
      this.handlers.events(batch);
    };
    socket.onclose = (end) => {
      if (this.ended) return;
      if (end.code === 4410) this.since = undefined; // too old: the state is read anew
      if (end.code === 4401) {
        this.ended = true;
        this.handlers.link({ state: "shut", why: "the session has ended" });
        return;
      }
      this.later(end.code === 4429 ? "this page was too slow for the events" : "the connection to the daemon was lost");
    };
  }

  private later(why: string): void {
    if (this.ended) return;
    const wait = this.wait;
    this.wait = Math.min(this.wait * 2, longest);
    this.handlers.link({ state: "waiting", why, until: Date.now() + wait });
    this.timer = setTimeout(() => void this.connect(), wait);
  }
}
