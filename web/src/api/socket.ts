import { api, Refusal, unwrap, type GrooveEvent } from "./client";

export type Link =
  | { state: "connecting" }
  | { state: "open" }
  /** Away since the last sign of life, at; tried again at until, or just now. */
  | { state: "waiting"; why: string; until: number; trying: boolean; at: number }
  | { state: "shut"; why: string };

type Handlers = {
  /** The number to go on from, after the state was read anew. Rejects as the client does. */
  begin(signal: AbortSignal): Promise<number>;
  /** Asks the daemon for a sign of life. Rejects as the client does. */
  alive(signal: AbortSignal): Promise<unknown>;
  events(batch: GrooveEvent[]): void;
  link(now: Link): void;
};

const first = 500;
const longest = 15_000;
/** After so long without a word it is asked whether the daemon is there: a line that is dead need not say so. */
const quiet = 20_000;
/** What answers, answers within this. */
const patience = 10_000;

function within(ms: number): AbortSignal {
  const stop = new AbortController();
  setTimeout(() => stop.abort(), ms);
  return stop.signal;
}

/**
 * The one socket of a page. It resumes by number, so that nothing is missed or shown twice;
 * where the daemon no longer has what came between, `begin` reads the state anew.
 */
export class Socket {
  private since: number | undefined;
  private socket: WebSocket | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private watch: ReturnType<typeof setTimeout> | undefined;
  private wait = first;
  private ended = false;
  private lost: Extract<Link, { state: "waiting" }> | undefined;
  private heard = Date.now();

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

  /** The session is no longer one: nothing is tried again. */
  shut(why: string): void {
    if (this.ended) return;
    this.ended = true;
    clearTimeout(this.timer);
    this.drop();
    this.handlers.link({ state: "shut", why });
  }

  private async connect(): Promise<void> {
    this.timer = undefined;
    this.handlers.link(this.lost ? { ...this.lost, trying: true } : { state: "connecting" });
    try {
      this.since ??= await this.handlers.begin(within(patience * 2));
      const { ticket } = await unwrap(api.POST("/api/tickets", { signal: within(patience) }));
      if (!this.ended) this.listen(ticket);
    } catch (cause) {
      if (cause instanceof Refusal && cause.status === 401) this.shut(cause.message);
      else this.later(cause instanceof Refusal ? cause.message : "It does not answer");
    }
  }

  private listen(ticket: string): void {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const query = new URLSearchParams({ since: String(this.since), ticket });
    const socket = new WebSocket(`${scheme}//${location.host}/api/events?${query}`);
    this.socket = socket;
    this.watch = setTimeout(() => this.lose("It does not answer"), patience);
    socket.onopen = () => {
      this.wait = first;
      this.lost = undefined;
      this.hear();
      this.handlers.link({ state: "open" });
    };
    socket.onmessage = (message: MessageEvent<string>) => {
      this.hear();
      const batch = JSON.parse(message.data) as GrooveEvent[];
      for (const e of batch) if (e.n) this.since = e.n;
      this.handlers.events(batch);
    };
    socket.onclose = (end) => {
      if (end.code === 4401) return this.shut("The session has ended");
      if (end.code === 4410) this.since = undefined; // too old: the state is read anew
      this.lose(end.code === 4429 ? "This page was too slow for the events" : end.code === 4410 ? "What came meanwhile is no longer kept: all is read anew" : "The connection was lost");
    };
  }

  private hear(): void {
    this.heard = Date.now();
    clearTimeout(this.watch);
    this.watch = setTimeout(() => void this.probe(), quiet);
  }

  private async probe(): Promise<void> {
    const socket = this.socket;
    try {
      await this.handlers.alive(within(patience));
    } catch (cause) {
      if (socket !== this.socket) return;
      if (!(cause instanceof Refusal)) return this.lose("It does not answer");
      if (cause.status === 401) return this.shut(cause.message);
    }
    if (socket === this.socket) this.hear();
  }

  private lose(why: string): void {
    this.drop();
    this.later(why);
  }

  /** Lets go of the socket without waiting for its end: on a dead line that never comes. */
  private drop(): void {
    clearTimeout(this.watch);
    const socket = this.socket;
    this.socket = undefined;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  private later(why: string): void {
    if (this.ended) return;
    const wait = this.wait;
    this.wait = Math.min(this.wait * 2, longest);
    this.lost = { state: "waiting", why, until: Date.now() + wait, trying: false, at: this.lost?.at ?? this.heard };
    this.handlers.link(this.lost);
    this.timer = setTimeout(() => void this.connect(), wait);
  }
}
