/** At most this share of the page's time goes into what a Pace runs. */
const share = 0.25;
/** What comes more often is gathered for as long. */
const frame = 16;
/** However dear a run was, the next one comes. */
const longest = 2_000;

/**
 * Runs something when it is wanted, and not again before the page had time for its user: the
 * dearer a run was, the longer the next one gathers. What is wanted meanwhile is run then.
 */
export class Pace {
  private state: "rest" | "waits" | "runs" | "again" = "rest";
  private timer: ReturnType<typeof setTimeout> | undefined;
  private free = 0;

  constructor(
    private readonly run: () => void | Promise<void>,
    private readonly least = frame,
  ) {}

  want(): void {
    if (this.state === "runs") this.state = "again";
    if (this.state !== "rest") return;
    this.state = "waits";
    this.timer = setTimeout(() => void this.go(), Math.max(this.least, this.free - performance.now()));
  }

  /** Nothing that is wanted runs any more. */
  end(): void {
    clearTimeout(this.timer);
    this.state = "runs";
  }

  private async go(): Promise<void> {
    this.state = "runs";
    const begun = performance.now();
    try {
      await this.run();
      await drawn();
    } finally {
      const took = performance.now() - begun;
      this.free = performance.now() + Math.min(longest, took / share - took);
      const again = (this.state as string) === "again";
      this.state = "rest";
      if (again) this.want();
    }
  }
}

/** When React has drawn what a change brought: its cost is the change's. */
function drawn(): Promise<void> {
  return new Promise((done) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => {
      channel.port1.close();
      done();
    };
    channel.port2.postMessage(0);
  });
}
