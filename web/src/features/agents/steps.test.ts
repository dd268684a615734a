import { expect, test } from "vitest";
import type { Snapshot } from "~/api/client";
import { stepsOf } from "./steps";

const of = (part: object) =>
  stepsOf({ ...part } as Snapshot)
    .filter((s) => s.done)
    .map((s) => s.id);

test.each([
  [{}, []],
  [{ agents: [{}] }, ["spawn"]],
  [{ peers: [{ state: "confirming" }] }, []],
  [{ peers: [{ state: "active" }] }, ["pair"]],
  [{ jobs: [{}] }, ["job"]],
  [{ messages: [{ state: "started", from: "user" }] }, []],
  [{ agents: [{ name: "a", status: "running", turns: 1 }], messages: [{ state: "started", from: "user", to: "a" }] }, ["spawn"]],
  [{ agents: [{ name: "a", status: "idle", turns: 1 }], messages: [{ state: "started", from: "user", to: "a" }] }, ["spawn", "answer"]],
  [{ messages: [{ state: "answered", from: "user" }] }, ["answer"]],
  [{ messages: [{ state: "delivered", from: "user", replyTo: "x" }] }, []],
  [{ messages: [{ state: "delivered", from: "backend", replyTo: "x" }] }, ["answer"]],
])("%j shows %j as done", (part, done) => expect(of(part)).toEqual(done));
