import createClient from "openapi-fetch";
import { bearer } from "./session";
import type { components, paths } from "./schema";

type Schemas = components["schemas"];
export type Agent = Schemas["Agent"];
export type RemoteAgent = Schemas["RemoteAgent"];
export type Job = Schemas["Job"];
export type Leg = Schemas["Leg"];
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

async function send(request: Request): Promise<Response> {
  const token = bearer();
  if (token) request.headers.set("Authorization", "Bearer " + token);
  let answer: Response;
  try {
    answer = await fetch(request, { cache: "no-store" });
  } catch (cause) {
    if (request.signal.aborted) throw cause;
    throw new Unreachable("the daemon does not answer");
  }
  if (answer.ok) return answer;
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
