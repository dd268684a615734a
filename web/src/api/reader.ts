import { api, unwrap, type Agent, type GrooveEvent, type RemoteAgent, type Snapshot } from "./client";
import { deliver, Moved } from "./mail";
import { Pace } from "./pace";
import { agentNamed, alike, patchSnapshot, queries, snapshot } from "./snapshot";

/** So many agents change on screen at a time. */
const atOnce = 40;

type Part = "agents" | "remoteAgents" | "jobs" | "approvals" | "peers" | "pairings" | "status";

const touches: Partial<Record<GrooveEvent["topic"], Part[]>> = {
  agent: ["agents"],
  remoteAgent: ["remoteAgents"],
  job: ["jobs", "status"],
  approval: ["approvals", "agents", "status"],
  peer: ["peers", "jobs", "status"],
  pairing: ["pairings", "peers"],
  gate: ["status"],
  daemon: ["status"],
};

/**
 * What events mean, gathered so that hundreds a second cost a handful of requests and drawings. A
 * status is shown at once, as its event says it; the rest is read anew, each part at its own pace.
 */
export class Reader {
  private readonly staged = new Map<string, Agent>();
  private readonly moved = new Moved();
  private readonly failed = new Set<Part>();
  private readonly paces = new Map<Part, Pace>();
  private readonly draw = new Pace(() => this.show());
  private readonly mail = new Pace(() => this.readMail(), gather);

  constructor(private readonly output: (agent: string) => void) {}

  take(batch: GrooveEvent[]): void {
    for (const e of batch) this.one(e);
  }

  private one(e: GrooveEvent): void {
    if (e.topic === "output") return this.output(e.id ?? "");
    if (e.topic === "agent") this.stage(e);
    if (e.topic === "message") {
      this.moved.add(e.messages ?? []);
      this.mail.want();
      this.want("agents"); // how many each has not read
      if (e.messages?.some((m) => m.direction !== "local")) this.want("jobs"); // how many wait for a peer
    }
    touches[e.topic]?.forEach((part) => this.want(part));
  }

  /** The state was read whole: what was taken before is older. */
  anew(): void {
    this.staged.clear();
    this.failed.clear();
  }

  /** The daemon answers again: what could not be read is. */
  back(): void {
    for (const part of this.failed) this.want(part);
    this.failed.clear();
    if (this.moved.size > 0) this.mail.want();
  }

  private want(part: Part): void {
    let pace = this.paces.get(part);
    if (!pace) this.paces.set(part, (pace = new Pace(() => this.read(part), gather)));
    pace.want();
  }

  private stage(e: GrooveEvent): void {
    const name = e.id ?? "";
    const agent = this.staged.get(name) ?? agentNamed(snapshot(), name);
    if (!agent) return; // a new one: the list that is read tells of it
    this.put({ ...agent, status: e.state as Agent["status"], reason: e.reason });
  }

  private put(agent: Agent): void {
    this.staged.delete(agent.name);
    this.staged.set(agent.name, agent);
    this.draw.want();
  }

  /** Shows some of what has changed; the rest has its turn when the page had time for its user. */
  private show(): void {
    const now = new Map([...this.staged].slice(0, atOnce));
    for (const name of now.keys()) this.staged.delete(name);
    patchSnapshot((s) => ({ ...s, agents: (s.agents ?? []).map((a) => now.get(a.name) ?? a) }));
    if (this.staged.size > 0) this.draw.want();
  }

  private async read(part: Part): Promise<void> {
    try {
      if (part === "agents") this.takeAgents((await unwrap(api.GET("/api/agents"))) ?? []);
      else {
        const now = await readPart(part);
        patchSnapshot((s) => keep(s, now));
      }
      await queries.invalidateQueries({ queryKey: [part] });
    } catch {
      this.failed.add(part); // the socket's end tells of a daemon that is gone
    }
  }

  /** Who came and who went shows at once, what changed of the others a part at a time. */
  private takeAgents(list: Agent[]): void {
    const old = snapshot()?.agents ?? [];
    const now = alike(old, list, (a) => a.name);
    const before = new Map(old.map((a) => [a.name, a]));
    this.staged.clear(); // the list is newer
    for (const a of now) {
      const was = before.get(a.name);
      if (was && was !== a && was.created === a.created) this.put(a);
    }
    if (now.length === old.length && now.every((a, i) => a.name === old[i]!.name && a.created === old[i]!.created)) return;
    patchSnapshot((s) => ({ ...s, agents: now.map((a) => (this.staged.has(a.name) ? before.get(a.name)! : a)) }));
  }

  private async readMail(): Promise<void> {
    try {
      deliver(await this.moved.read());
      if (this.moved.size > 0) this.mail.want();
    } catch {
      // They wait: see back.
    }
  }
}

/** What events bring within this time is read together. */
const gather = 100;

async function readPart(part: Exclude<Part, "agents">): Promise<Partial<Snapshot>> {
  switch (part) {
    case "remoteAgents":
      return { remoteAgents: (await unwrap(api.GET("/api/federation/remote-agents"))) ?? [] };
    case "jobs":
      return { jobs: (await unwrap(api.GET("/api/federation/bridge/status"))) ?? [] };
    case "approvals":
      return { approvals: (await unwrap(api.GET("/api/approvals"))) ?? [] };
    case "peers":
      return { peers: (await unwrap(api.GET("/api/federation/peers"))) ?? [] };
    case "pairings":
      return { pairings: (await unwrap(api.GET("/api/federation/pair"))) ?? [] };
    case "status":
      return { status: await unwrap(api.GET("/api/status")) };
  }
}

const remoteKey = (a: RemoteAgent) => a.peer + "/" + a.agent;

function keep(s: Snapshot, now: Partial<Snapshot>): Snapshot {
  return {
    ...s,
    ...now,
    ...(now.remoteAgents && { remoteAgents: alike(s.remoteAgents, now.remoteAgents, remoteKey) }),
    ...(now.jobs && { jobs: alike(s.jobs, now.jobs, (j) => j.jobId) }),
    ...(now.approvals && { approvals: alike(s.approvals, now.approvals, (a) => a.id) }),
    ...(now.peers && { peers: alike(s.peers, now.peers, (p) => p.id) }),
  };
}
