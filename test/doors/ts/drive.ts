// Drives two daemons with a generated client: pair, job, message, receipts. Standard input
// has a line for each daemon: its address, and a code of `groove open`.
import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./schema.js";

declare const process: { stdin: AsyncIterable<Uint8Array>; exit(code: number): never };

type Event = components["schemas"]["Event"];

class Refused extends Error {}

// have returns the data of an answer, or throws its problem.
function have<T>(answer: { data?: T; error?: unknown }): T {
  if (answer.error !== undefined || answer.data === undefined) throw new Refused(JSON.stringify(answer.error));
  return answer.data;
}

type Daemon = { base: string; token: string; api: Client<paths> };

async function enter(line: string): Promise<Daemon> {
  const [base, code] = line.split(" ");
  if (!base || !code) throw new Error("no address and code");
  const session = have(await createClient<paths>({ baseUrl: base }).POST("/api/session", { body: { code } }));
  const api = createClient<paths>({ baseUrl: base, headers: { Authorization: "Bearer " + session.token } });
  return { base, token: session.token, api };
}

// events yields what changes after a number.
async function* events(d: Daemon, since: number): AsyncGenerator<Event> {
  const answer = await fetch(`${d.base}/api/events?since=${since}`, {
    headers: { Authorization: "Bearer " + d.token, Accept: "text/event-stream" },
  });
  if (!answer.ok || !answer.body) throw new Refused(await answer.text());
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const data = text.slice(0, end).split("\n").find((l) => l.startsWith("data: "));
      text = text.slice(end + 2);
      if (data) yield JSON.parse(data.slice(6)) as Event;
    }
  }
}

async function drive(a: Daemon, b: Daemon): Promise<void> {
  const invite = have(await b.api.POST("/api/federation/invites", { body: { for: ["127.0.0.1"], mine: true } }));
  const paired = have(await a.api.POST("/api/federation/pair", { body: { invite: invite.line, mine: true } }));
  console.log("paired with", paired.peerName);

  const { next } = have(await a.api.GET("/api/snapshot"));
  const job = have(await a.api.POST("/api/federation/bridge/open", {
    body: { peer: "vps", title: "typescript", goal: "a generated client", agents: ["frontend"], peerAgents: ["backend"] },
  }));
  let id = "";
  for await (const e of events(a, next)) {
    if (!id && e.topic === "job" && e.id === job.jobId && e.state === "open") {
      console.log("job open");
      const sent = have(await a.api.POST("/api/federation/bridge/message", {
        body: { jobId: job.jobId, to: { agent: "backend" }, payload: { text: "hello from TypeScript" } },
      }));
      id = sent.id;
    }
    for (const m of e.messages ?? []) {
      if (m.id === id && m.direction === "out") console.log(m.state);
      if (m.id === id && m.state === "answered") return;
    }
  }
  throw new Error("the events ended");
}

let input = "";
for await (const piece of process.stdin) input += new TextDecoder().decode(piece);
const [first = "", second = ""] = input.split("\n");
await drive(await enter(first), await enter(second));
process.exit(0);
