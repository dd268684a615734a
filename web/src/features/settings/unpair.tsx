import { useQuery } from "@tanstack/react-query";
import { api, unwrap, type Mail, type Peer } from "~/api/client";
import { useSnapshot } from "~/api/state";
import { visible } from "~/lib/visible";
import { Confirm, type Question } from "~/ui/confirm";
import { Refused } from "~/ui/note";
import { say } from "~/ui/toast";

const shown = 8;
const page = 1000;

/** Asks before a pairing is ended, and names what ends with it. */
export function Unpair({ peer, onClose }: { peer: Peer; onClose: () => void }) {
  const jobs = useSnapshot((s) => (s.jobs ?? []).filter((j) => (j.legs ?? []).some((l) => l.peer === peer.id))) ?? [];
  const legs = jobs.flatMap((j) => (j.legs ?? []).filter((l) => l.peer === peer.id));
  const open = jobs.filter((j) => (j.legs ?? []).some((l) => l.peer === peer.id && l.state !== "closed"));
  const waiting = legs.reduce((n, l) => n + l.waiting, 0);
  const question: Question = {
    title: `Unpair ${peer.name}?`,
    yes: waiting > 0 ? `Unpair and drop ${count(waiting)}` : "Unpair",
    no: "Keep it",
    text: (
      <div className="flex flex-col gap-3">
        <p>Its jobs end, its addresses leave the gate, and what waits for it is cancelled. To pair again, both users confirm anew.</p>
        {open.length > 0 && (
          <p>
            {open.length === 1 ? "This job ends: " : "These jobs end: "}
            <bdi className="font-medium">{visible(open.map((j) => j.title).join(", "))}</bdi>.
          </p>
        )}
        {waiting > 0 && <Waiting peer={peer.id} jobs={jobs.filter((j) => (j.legs ?? []).some((l) => l.peer === peer.id && l.waiting > 0)).map((j) => j.jobId)} all={waiting} />}
      </div>
    ),
    act: async () => {
      const did = await unwrap(api.DELETE("/api/federation/peers/{id}", { params: { path: { id: peer.id } } }));
      say(`${peer.name} is unpaired, ${count(did.cancelled?.length ?? 0)} cancelled`);
    },
  };
  return <Confirm question={question} onClose={onClose} />;
}

const count = (n: number) => `${n} ${n === 1 ? "message" : "messages"}`;

/** What would be cancelled, the newest first. */
function Waiting({ peer, jobs, all }: { peer: string; jobs: string[]; all: number }) {
  const mail = useQuery({
    queryKey: ["messages", "waiting", peer, jobs],
    queryFn: async ({ signal }) => {
      const pages = await Promise.all(jobs.map((job) => unwrap(api.GET("/api/messages", { params: { query: { job, limit: page } }, signal }))));
      const waits = (m: Mail) => m.direction === "out" && m.peer === peer && ["queued", "sent"].includes(m.state);
      return pages.flatMap((p) => (p.messages ?? []).filter(waits)).reverse().slice(0, shown);
    },
  });
  if (mail.isError) return <Refused what="What waits cannot be read." cause={mail.error} />;
  const some = mail.data ?? [];
  return (
    <div>
      <p className="mb-1.5">{all === 1 ? "This message waits and is dropped:" : `These ${all} messages wait and are dropped:`}</p>
      <ul aria-label="What waits" className="flex flex-col gap-1">
        {some.map((m) => (
          <li key={m.id} className="rounded-md border border-border bg-sunken px-3 py-1.5 text-sm">
            <bdi className="font-medium">{visible(m.from === "user" ? "You" : m.from)}</bdi> to <bdi className="text-remote-text">{m.to === "user" ? "its user" : visible(m.to)}</bdi>: <span className="break-words text-text-2">{visible(m.text.slice(0, 160))}{m.text.length > 160 && "…"}</span>
          </li>
        ))}
      </ul>
      {mail.isSuccess && all > some.length && <p className="mt-1 text-xs text-text-3">and {all - some.length} more</p>}
    </div>
  );
}
