import type { Approval } from "~/api/client";
import type { Detail } from "./detail";
import { own } from "~/lib/own";

/** How a kind of question is put: its name in lists, its buttons, and what they do. */
export type Words = { name: string; yes: string; no: string; does: string; doesNot: string; remote?: boolean; silence?: string };

const kinds: Record<string, Words> = {
  permission: { name: "Permission", yes: "Approve", no: "Decline", does: "Its program goes on with this.", doesNot: "Its program is told no, and goes on without." },
  "job.proposed": { name: "Allow a contract", yes: "Allow", no: "Decline", does: "The job opens: the agents named may write to each other, as text that is marked as the peer's.", doesNot: "The peer is told no, and nothing opens.", remote: true },
  "job.paused": { name: "Resume a job", yes: "Resume", no: "Leave it paused", does: "Messages go on, and what waits is sent.", doesNot: "Messages wait until you resume it.", remote: true },
  "job.extend": { name: "Later end of a job", yes: "Extend", no: "Decline", does: "The job ends at that time.", doesNot: "It ends when it was agreed to.", remote: true },
  "message.held": { name: "Message held", yes: "Approve", no: "Decline", does: "The message goes into the agent's inbox, as the peer's words.", doesNot: "The sender is told that it was refused.", remote: true },
  "pair.words": { name: "Compare five words", yes: "The same words", no: "They differ", does: "You say that both machines show the same words.", doesNot: "Nothing is paired, and the other side is told.", remote: true },
  "turn.held": { name: "Messages held before a turn", yes: "Approve", no: "Decline", does: "The agent reads these messages. Its program acts without asking.", doesNot: "They are refused, and their senders told.", remote: true },
  "agent.stalled": { name: "No sign of life", yes: "Wait on", no: "Interrupt its turn", does: "Its turn goes on.", doesNot: "Its turn is interrupted.", silence: "Without an answer it is waited for." },
  "agent.budget": { name: "Budget spent", yes: "As much again", no: "Leave it paused", does: "It may spend as much again.", doesNot: "It stays paused." },
  "scope.breach": { name: "Changed outside its scope", yes: "Accept the changes", no: "Have them taken back", does: "The agent is told that you accept these changes. Its scope stays as it is.", doesNot: "The agent is told to take them back.", silence: "Without an answer nothing is done." },
};

const other: Words = { name: "Question", yes: "Approve", no: "Decline", does: "You say yes.", doesNot: "You say no." };

export function wordsOf(kind: string): Words {
  return own(kinds, kind) ?? { ...other, name: kind };
}

const acts: Record<string, string> = { edit: "change files", execute: "run a command", read: "read", delete: "delete files", move: "move files", search: "search", fetch: "fetch from the network", think: "think" };

/** The question as a sentence. */
export function heading(a: Approval, d: Detail): string {
  if (a.kind === "permission" && d.agent) return `Let ${d.agent} ${own(acts, d.sort) ?? "use a tool"}?`;
  return a.kind === "job.proposed" ? "Allow this contract?" : a.title;
}

/** What a program would do, as a list says it. */
export function sortName(sort: string): string {
  const act = own(acts, sort) ?? "use a tool";
  return act.charAt(0).toUpperCase() + act.slice(1);
}

export function nameOf(a: Approval, d: Detail): string {
  return a.kind === "permission" ? sortName(d.sort) : wordsOf(a.kind).name;
}

const ends: Record<string, string> = { approved: "Approved", rejected: "Declined", expired: "Not answered in time, which is a no", withdrawn: "Withdrawn: it was no longer needed" };

/** What became of a question, and where: groove records one answer, not which tab gave it. */
export function outcome(a: Approval, here: boolean): string {
  const word = own(ends, a.state) ?? a.state;
  if (a.state !== "approved" && a.state !== "rejected") return word;
  return here ? `${word} by you, in this tab` : `${word} in another tab or at a terminal`;
}
