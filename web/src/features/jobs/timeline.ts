import type { Job, JobNote, Mail } from "~/api/client";
import { own } from "~/lib/own";

export type Row = { key: string; at: string; mail?: Mail; note?: JobNote };

/** Messages and what else happened, in the order of time. While older messages are not read, notes older than the oldest one wait too. */
export function merge(mails: Mail[], notes: JobNote[], whole: boolean): Row[] {
  const first = mails[0]?.at;
  const rows: Row[] = mails.map((m) => ({ key: m.direction + m.id, at: m.at, mail: m }));
  notes.forEach((note, i) => {
    if (whole || first === undefined || note.at >= first) rows.push({ key: "n" + i + note.at, at: note.at, note });
  });
  return rows.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

/** The question that still waits, if the note is its beginning. */
export function openQuestion(note: JobNote, notes: JobNote[]): string | undefined {
  if (note.event !== "asked" || !note.question) return undefined;
  return notes.some((n) => n.question === note.question && n.event !== "asked") ? undefined : note.question;
}

const ends: Record<string, string> = {
  manual: "somebody closed it",
  jobComplete: "all its agents are done",
  denied: "it was not allowed",
  ttl: "its time was over",
  idle: "nothing was said for long",
  shutdown: "the peer stopped",
  rotated: "the peer changed its key",
  replaced: "a newer connection took its place",
  unpaired: "the machines are not paired any more",
  protocolError: "the peer broke the protocol",
};

/** A reason of the daemon in words; what is not known stands as it is. */
export function reason(text: string): string {
  return own(ends, text) ?? text;
}

const dated = /\d{4}-\d\d-\d\dT[\d:.]+Z/;

/** What happened, in a line. `words` is what a peer or its agent wrote: it is shown as theirs. */
export function said(n: JobNote, self: string, opener: string): { text: string; words?: string; bad?: boolean } {
  const peer = n.peerName || n.peer?.slice(0, 8) || "the peer";
  const detail = (n.detail ?? "").replace(dated, (d) => new Date(d).toLocaleString());
  switch (n.event) {
    case "job.open":
      return { text: `You proposed the contract to ${peer}` };
    case "job.proposed":
      return { text: `${peer} proposed the contract` };
    case "opened":
      return { text: opener === self ? `${peer} allowed it: the job opened` : "It was allowed here: the job opened" };
    case "connect":
      return { text: `Connected with ${peer}` };
    case "disconnect":
      return { text: `The connection ended${detail ? `: ${reason(detail)}` : ""}` };
    case "job.pause":
      return { text: `Paused${detail ? `: ${detail}` : ""}` };
    case "job.resume":
      return { text: `Resumed${detail ? `: ${detail}` : ""}` };
    case "job.extend":
      return { text: `A later end, ${detail}` };
    case "job.done":
      return { text: `Done on ${peer}`, words: n.detail || undefined };
    case "job.close":
      return { text: `Closed: ${reason(n.detail ?? "")}` };
    case "refuse":
      return { text: `Refused here: ${n.kind ?? ""}${n.agent ? `, ${n.agent} to ${n.to ?? ""}` : ""}`, bad: true };
    case "transcript.gap":
      return { text: `The record of ${peer} does not follow on ours`, bad: true };
    case "asked":
      return { text: "You were asked", words: n.detail };
    case "approved":
      return { text: "Approved", words: n.detail };
    case "rejected":
      return { text: "Declined", words: n.detail };
    case "expired":
      return { text: "Not answered in time, which is a no", words: n.detail };
    case "withdrawn":
      return { text: "No longer needed", words: n.detail };
  }
  return { text: [n.event, n.kind].filter(Boolean).join(" "), words: n.detail };
}

export type Group = { name: "Needs you" | "Open" | "Closed"; jobs: Job[] };

/** The list in its groups; ids are the jobs that a question is about. */
export function groups(jobs: Job[], self: string, ids: Set<string>): Group[] {
  const needs = (j: Job) => j.state !== "closed" && (ids.has(j.jobId) || (j.state === "proposed" && j.opener !== self));
  const all: Group[] = [
    { name: "Needs you", jobs: jobs.filter(needs) },
    { name: "Open", jobs: jobs.filter((j) => j.state !== "closed" && !needs(j)) },
    { name: "Closed", jobs: jobs.filter((j) => j.state === "closed") },
  ];
  return all.filter((g) => g.jobs.length > 0);
}
