import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Agent, GrooveEvent, Mail, Snapshot } from "./client";
import { Reader } from "./reader";
import { queries, snapshot } from "./snapshot";

// Node's requests know no page that their addresses are of.
vi.hoisted(() => {
  const Plain = globalThis.Request;
  globalThis.Request = class extends Plain {
    constructor(at: RequestInfo | URL, init?: RequestInit) {
      super(typeof at === "string" ? new URL(at, "http://127.0.0.1") : at, init);
    }
  };
});

const agent = (n: number, more: Partial<Agent> = {}): Agent =>
  ({ name: "a" + n, program: "p", dir: "/", scope: [], status: "idle", process: "up", session: "open", activity: "idle", unread: 0, turns: 0, rev: 1, created: "c", since: "s", ...more }) as Agent;

/** The daemon: what it would answer now. */
let agents: Agent[];
let mails: Mail[];
let asked: string[];
let down: boolean;

beforeEach(() => {
  agents = Array.from({ length: 500 }, (_, n) => agent(n));
  mails = [];
  asked = [];
  down = false;
  queries.clear();
  queries.setQueryData<Snapshot>(["snapshot"], { next: 1, status: {}, agents, remoteAgents: [], jobs: [], peers: [], pairings: [], approvals: [], messages: [] } as unknown as Snapshot);
  vi.stubGlobal("fetch", (request: Request) => {
    if (down) return Promise.reject(new TypeError("refused"));
    const url = new URL(request.url);
    asked.push(url.pathname);
    const id = /^\/api\/messages\/(.+)/.exec(url.pathname)?.[1];
    const answer = url.pathname === "/api/agents" ? agents : id ? mails.find((m) => m.id === id) : url.pathname === "/api/messages" ? { messages: mails.slice(-Number(url.searchParams.get("limit"))), next: 1 } : [];
    return Promise.resolve(answer ? Response.json(answer) : Response.json({ kind: "message.unknown", status: 404, title: "", detail: "" }, { status: 404 }));
  });
});
afterEach(() => vi.unstubAllGlobals());

const told = (n: number, status: string): GrooveEvent => ({ n: n + 1, topic: "agent", id: "a" + n, state: status });
const until = (what: () => boolean) => vi.waitFor(() => expect(what()).toBe(true), { timeout: 5_000, interval: 5 });

test("500 agents that change at once all come to show what they are, with few requests", async () => {
  const reader = new Reader(() => {});
  const drawn: number[] = [];
  let before = snapshot()!.agents!;
  const off = queries.getQueryCache().subscribe(() => {
    const now = snapshot()?.agents;
    if (!now || now === before) return;
    drawn.push(now.filter((a, i) => a !== before[i]).length);
    before = now;
  });
  for (const status of ["running", "idle", "running"]) reader.take(agents.map((_, n) => told(n, status)));
  agents = agents.map((a) => ({ ...a, status: "running", unread: 2 }));
  await until(() => snapshot()!.agents!.every((a) => a.status === "running" && a.unread === 2)).finally(off);
  expect(Math.max(...drawn)).toBeLessThanOrEqual(40);
  expect(asked.length).toBeLessThan(6);
});

test("who did not change keeps its identity, so that its card is not drawn", async () => {
  const reader = new Reader(() => {});
  const before = snapshot()!.agents!;
  reader.take([told(7, "running")]);
  agents = agents.map((a, n) => (n === 7 ? { ...a, status: "running" as const, turns: 1 } : { ...a }));
  await until(() => snapshot()!.agents![7]!.turns === 1);
  expect(snapshot()!.agents!.filter((a, n) => a !== before[n]).map((a) => a.name)).toEqual(["a7"]);
});

test("who comes and who goes shows", async () => {
  const reader = new Reader(() => {});
  agents = [...agents.slice(1), agent(900)];
  reader.take([{ n: 1, topic: "agent", id: "a900", state: "idle" }]);
  await until(() => snapshot()!.agents!.some((a) => a.name === "a900"));
  expect(snapshot()!.agents!.some((a) => a.name === "a0")).toBe(false);
});

const mail = (n: number, state = "stored"): Mail => ({ id: "m" + n, pos: n, direction: "local", from: "user", to: "a1", state, at: new Date(1e12 + n).toISOString(), text: "" });
const moved = (...all: Mail[]): GrooveEvent => ({ n: 1, topic: "message", messages: all.map((m) => ({ id: m.id, direction: "local" as const, state: m.state })) });

test("300 messages of one moment and what becomes of them: none is lost, none is there twice, in order", async () => {
  const reader = new Reader(() => {});
  for (let n = 0; n < 300; n++) {
    mails.push(mail(n));
    reader.take([moved(mail(n))]);
    if (n % 3 === 0) {
      mails[n] = mail(n, "started");
      reader.take([moved(mails[n]!)]);
    }
    if (n % 50 === 0) await new Promise((done) => setTimeout(done, 30));
  }
  await until(() => snapshot()!.messages!.length === 300 && snapshot()!.messages!.every((m, n) => m.state === (n % 3 ? "stored" : "started")));
  expect(snapshot()!.messages!.map((m) => m.pos)).toEqual(mails.map((m) => m.pos));
  expect(asked.filter((p) => p.startsWith("/api/messages")).length).toBeLessThan(60);
});

test("what could not be read while the daemon was away is read when it is back", async () => {
  const reader = new Reader(() => {});
  down = true;
  agents = agents.map((a) => ({ ...a, turns: 9 }));
  mails = [mail(1)];
  reader.take([told(1, "running"), moved(mails[0]!)]);
  await new Promise((done) => setTimeout(done, 300));
  expect(snapshot()!.messages).toEqual([]);
  down = false;
  reader.back();
  await until(() => snapshot()!.messages!.length === 1 && snapshot()!.agents!.every((a) => a.turns === 9));
});

test("a message that the daemon has no more holds up no other", async () => {
  const reader = new Reader(() => {});
  mails = [mail(2)];
  reader.take([moved(mail(1), mail(2))]);
  await until(() => snapshot()!.messages!.length === 1);
});
