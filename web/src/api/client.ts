import createClient from "openapi-fetch";
import { bearer } from "./session";
import type { components, paths } from "./schema";

type Schemas = components["schemas"];
export type Agent = Schemas["Agent"];
export type RemoteAgent = Schemas["RemoteAgent"];
export type Job = Schemas["Job"];
export type Leg = Schemas["Leg"];
export type JobNote = Schemas["JobNote"];
export type JobRecord = Schemas["JobRecord"];
export type LegRecord = Schemas["LegRecord"];
export type Peer = Schemas["Peer"];
export type Mail = Schemas["Mail"];
export type Approval = Schemas["Approval"];
export type Pairing = Schemas["Pairing"];
export type Status = Schemas["Status"];
export type Snapshot = Schemas["Snapshot"];
export type MessageMove = NonNullable<Schemas["Event"]["messages"]>[number];
export type GrooveEvent = Schemas["Event"];
export type Problem = Schemas["Problem"];

/** What the daemon refused: its kind, why, and what helps. Kinds are stable, texts are not. */
export class Refusal extends Error {
  readonly kind: string;
  readonly status: number;
  readonly fix: string | undefined;
  constructor(readonly problem: Problem) {
    super(problem.detail || problem.title || problem.kind);
    this.kind = problem.kind;
    this.status = problem.status;
    this.fix = problem.fix;
  }
}

/** The daemon did not answer at all. */
export class Unreachable extends Error {}

/** What finds a daemon again that is away. */
const finding = new Set(["/api/tickets", "/api/snapshot"]);
let cut: AbortController | undefined = new AbortController();

/**
 * Whether the daemon is there. While it is not, nothing is sent: a click now must not act
 * when it comes back. What is under way ends, as on a dead line nothing else would end it.
 */
export function setAway(away: boolean): void {
  if (away === !cut) return;
  cut?.abort();
  cut = away ? undefined : new AbortController();
}

let shut: (why: string) => void = () => {};
/** Calls fn when an answer says that this page's session is none. */
export function onShut(fn: (why: string) => void): void {
  shut = fn;
}

async function send(request: Request): Promise<Response> {
  const found = finding.has(new URL(request.url).pathname);
  if (!cut && !found) throw new Unreachable("the daemon is not reachable; nothing was sent");
  const token = bearer();
  if (token) request.headers.set("Authorization", "Bearer " + token);
  let answer: Response;
  try {
    answer = await fetch(request, { cache: "no-store", signal: cut && !found ? AbortSignal.any([request.signal, cut.signal]) : request.signal });
  } catch (cause) {
    if (request.signal.aborted) throw cause;
    throw new Unreachable(request.method === "GET" ? "the daemon does not answer" : "the daemon did not answer; whether it was done shows when it is back");
  }
  if (answer.ok) return answer;
  if (answer.status === 401) shut("The session has ended");
  throw new Refusal(await problemOf(answer));
}

async function problemOf(answer: Response): Promise<Problem> {
  try {
    const said = (await answer.json()) as Problem;
    if (said.kind) return said;
  } catch {
    // not one of ours: said below
  }
  return { status: answer.status, kind: "internal", title: "internal", detail: `the daemon answered ${answer.status}` };
}

/** The typed client. Its calls reject with Refusal or Unreachable: `unwrap` gives the data. */
export const api = createClient<paths>({ fetch: send });

export async function unwrap<T>(call: Promise<{ data?: T }>): Promise<T> {
  const { data } = await call;
  return data as T;
}
