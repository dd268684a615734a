import type { Snapshot } from "~/api/client";

export type Step = { id: "spawn" | "pair" | "job" | "answer"; title: string; what: string; done: boolean };

/** The first steps with groove, as far as the state shows that they were taken. */
export function stepsOf(s: Snapshot): Step[] {
  // An agent answers its user in its own words when the turn that read the message is over.
  const over = (name: string) => (s.agents ?? []).some((a) => a.name === name && a.status === "idle" && a.turns > 0);
  const answered = (s.messages ?? []).some((m) => m.state === "answered" || (m.from === "user" ? m.state === "started" && over(m.to) : !!m.replyTo));
  return [
    { id: "spawn", title: "Spawn your first agent", what: "A coding program that groove runs in a directory of yours.", done: (s.agents ?? []).length > 0 },
    { id: "pair", title: "Pair a machine", what: "Both users compare five words. Everything stays here until then.", done: (s.peers ?? []).some((p) => p.state === "active") },
    { id: "job", title: "Open a job", what: "Spawn an ambassador: it speaks with the agents of the other machine, as far as both users agree.", done: (s.jobs ?? []).length > 0 },
    { id: "answer", title: "See a message answered", what: "Write to an agent, or let two write to each other.", done: answered },
  ];
}
