import { useQuery } from "@tanstack/react-query";
import { Link as To } from "@tanstack/react-router";
import { ChevronRight, MessageSquare, Network, Unlink2 } from "lucide-react";
import { useMemo, useState, type ReactNode } from "react";
import { api, unwrap, type Agent, type Mail } from "~/api/client";
import { useSnapshot } from "~/api/state";
import { useRoundTrips } from "~/api/trips";
import { useNow } from "~/lib/now";
import { trip } from "~/lib/figures";
import { ago, span } from "~/lib/time";
import { visible } from "~/lib/visible";
import { Button } from "~/ui/button";
import { Confirm, type Question } from "~/ui/confirm";
import { Facts, Section } from "~/ui/facts";
import { Note, Refused } from "~/ui/note";
import { Receipt } from "~/ui/receipt";
import { RoleIcon } from "~/ui/role";
import { Sparkline } from "~/ui/sparkline";
import { Badge, StatusBadge } from "~/ui/status";
import { sayFailed } from "~/ui/toast";
import { crossedOf, outbox, roleName, teamOf, type Link } from "./facts";
import { SendDialog } from "./send";

const page = 500;

/** The agent's jobs with peers: who is there, what crossed and what still waits. */
export function Federation({ agent, links, message }: { agent: Agent; links: Link[]; message: (m: Mail) => ReactNode }) {
  const [writing, write] = useState(false);
  const [question, ask] = useState<Question>();
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div className="min-h-0 flex-1 overflow-y-auto" tabIndex={0} role="region" aria-label="Federation">
        <div className="mx-auto max-w-[1000px]">
          {links.map((l) => (
            <OneLink key={l.job.jobId + l.leg.peer} agent={agent} link={l} message={message} />
          ))}
        </div>
      </div>
      <footer className="flex flex-none flex-wrap items-center gap-2 border-t border-border p-3">
        <Button look="primary" onClick={() => write(true)}>
          <MessageSquare size={16} /> Send message
        </Button>
        <span className="flex-1" />
        {links.map((l) => (
          <Button key={l.job.jobId + l.leg.peer} look="danger" onClick={() => ask(parting(l))}>
            <Unlink2 size={16} /> Disconnect{links.length > 1 && ` from ${l.leg.peerName}`}
          </Button>
        ))}
      </footer>
      {writing && <SendDialog links={links} onClose={() => write(false)} />}
      <Confirm question={question} onClose={() => ask(undefined)} />
    </div>
  );
}

function parting({ job, leg }: Link): Question {
  const ours = (leg.agents ?? []).join(", ");
  const theirs = (leg.peerAgents ?? []).join(", ");
  return {
    title: `Disconnect from ${leg.peerName}?`,
    yes: leg.waiting > 0 ? `Disconnect with ${leg.waiting} waiting` : "Disconnect",
    no: "Stay connected",
    text: (
      <>
        <p>
          <bdi>“{job.title}”</bdi> with <bdi>{leg.peerName}</bdi> ends on both sides. Here <bdi>{ours}</bdi> and there <bdi>{theirs}</bdi> can no longer write to each other.
        </p>
        <p className="mt-2">{leg.waiting > 0 ? `${leg.waiting} ${leg.waiting === 1 ? "message waits" : "messages wait"} in the outbox: they stay here, and move over when you open the job anew.` : "No message waits in the outbox."}</p>
      </>
    ),
    act: () => unwrap(api.POST("/api/federation/bridge/close", { body: { jobId: job.jobId, peer: leg.peer } })),
  };
}

function OneLink({ agent, link: { job, leg }, message }: { agent: Agent; link: Link; message: (m: Mail) => ReactNode }) {
  const now = useNow();
  const peer = useSnapshot((s) => (s.peers ?? []).find((p) => p.id === leg.peer));
  const remotes = useSnapshot((s) => s.remoteAgents);
  const team = useMemo(() => teamOf(leg, remotes ?? []), [leg, remotes]);
  const mail = useQuery({
    queryKey: ["messages", "job", job.jobId, "of", agent.name],
    queryFn: ({ signal }) => unwrap(api.GET("/api/messages", { params: { query: { job: job.jobId, limit: page } }, signal })),
  });
  const all = useMemo(() => mail.data?.messages ?? [], [mail.data]);
  const crossed = crossedOf(leg, agent.name);
  const trips = useRoundTrips(leg.peer, leg.connected);
  const waits = useMemo(() => outbox(all, leg.peer), [all, leg.peer]);
  const dials = !leg.connected && (leg.state === "open" || leg.state === "dialing");
  const ttl = job.ttlAt ? Date.parse(leg.ttlAt ?? job.ttlAt) : undefined;
  return (
    <>
      <Section>
        <header className="mb-3.5 flex items-center gap-3">
          <span aria-hidden className="grid size-9 flex-none place-items-center rounded-md border border-remote-line bg-remote-soft text-remote-text">
            <Network size={20} strokeWidth={1.75} />
          </span>
          <div className="min-w-0 flex-1">
            <p className="flex items-center gap-2">
              <bdi className="truncate text-lg font-semibold">{leg.peerName}</bdi>
              <Badge className={leg.connected ? "bg-running-soft text-running-text" : "bg-awaiting-soft text-awaiting-text"}>{leg.connected ? "Connected" : dials ? "Redialling" : leg.state}</Badge>
            </p>
            <p className="truncate font-mono text-xs text-text-3">
              {[peer?.addresses?.[0], `daemon ${leg.peer.slice(0, 8)}`].filter(Boolean).join(" · ")}
            </p>
          </div>
        </header>
        <Facts
          rows={[
            ["Role", agent.link?.jobId === job.jobId && agent.link.mode === "direct" ? "Direct link" : agent.role ? roleName(agent.role) : "Linked agent"],
            [
              "Job",
              <span className="flex flex-wrap items-baseline gap-x-2">
                <To to="/jobs/$job" params={{ job: job.jobId }} className="underline underline-offset-2">
                  <bdi>{job.title}</bdi>
                </To>
                <span className="font-mono text-xs text-text-3">{job.jobId.slice(0, 8)}</span>
              </span>,
            ],
            [
              "Open for",
              <>
                {span(now - Date.parse(job.created))}
                {ttl !== undefined && <span className="text-text-3">{ttl > now ? `, ends in ${span(ttl - now)}` : ", ends now"}</span>}
              </>,
            ],
            [
              "Messages",
              <>
                {crossed.sent.toLocaleString()} sent <span className="text-text-3">/</span> {crossed.received.toLocaleString()} received
                {(leg.sent !== crossed.sent || leg.received !== crossed.received) && (
                  <span className="block text-xs text-text-3">
                    all of the job: {leg.sent.toLocaleString()} sent / {leg.received.toLocaleString()} received
                  </span>
                )}
              </>,
            ],
            ["Last activity", crossed.last ? ago(crossed.last, now) : leg.lastAt ? `${ago(leg.lastAt, now)}, not of ${agent.name}` : "none yet"],
            ["Connected for", leg.connectedSince && span(now - Date.parse(leg.connectedSince))],
            ["Round trip", leg.rttMs === undefined && trips.length === 0 ? "not measured yet" : <RoundTrips last={leg.rttMs} trips={trips} peer={leg.peerName} />],
          ]}
        />
        {(leg.detail || leg.reason) && (
          <div className="mt-3">
            <Note tone="remote" title={dials ? "The bridge is down" : undefined}>
              {leg.detail || leg.reason}
            </Note>
          </div>
        )}
        {mail.isError && <Refused what="The messages cannot be read." cause={mail.error} />}
      </Section>
      <Section title="Remote team" count={team.length}>
        <ul className="-mx-2 flex flex-col gap-0.5">
          {team.map((m) => (
            <li key={m.name}>
              {m.known ? (
                <To to="/agents/$name" params={{ name: m.name }} search={{ peer: leg.peer }} className="flex items-center gap-3 rounded-md p-2 hover:bg-hover">
                  <RoleIcon role={m.known.role} remote />
                  <span className="min-w-0 flex-1">
                    <span className="flex items-center gap-2">
                      <bdi className="truncate font-medium">{m.name}</bdi> <StatusBadge status={m.known.status} />
                    </span>
                    <bdi className="block truncate font-mono text-xs text-text-3">{(m.known.scope ?? []).join(" ") || "no scope shown"}</bdi>
                  </span>
                  <ChevronRight size={14} aria-hidden className="text-text-3" />
                </To>
              ) : (
                <span className="flex items-center gap-3 p-2">
                  <RoleIcon remote />
                  <span className="min-w-0 flex-1">
                    <bdi className="block truncate font-medium">{m.name}</bdi>
                    <span className="text-xs text-text-3">{leg.peerName} does not show it</span>
                  </span>
                </span>
              )}
            </li>
          ))}
        </ul>
      </Section>
      <Section title="Waiting in the outbox" count={waits.length}>
        {waits.length === 0 ? (
          <p className="text-text-3">Nothing. What is sent while {leg.peerName} is away waits here.</p>
        ) : (
          <ul className="flex flex-col gap-2.5">
            {waits.slice(0, 20).map((m) => (
              <Waiting key={m.id} mail={m} />
            ))}
          </ul>
        )}
        {waits.length > 20 && <p className="mt-2 text-xs text-text-3">{waits.length - 20} more in the job.</p>}
      </Section>
      {all.length > 0 && (
        <Section title="Last said">
          <div className="flex flex-col gap-2">
            {all.slice(-3).map((m) => (
              <div key={m.direction + m.id}>{message(m)}</div>
            ))}
          </div>
        </Section>
      )}
    </>
  );
}

/** The last one, and how they went since the daemon's start. */
function RoundTrips({ last, trips, peer }: { last: number | undefined; trips: number[]; peer: string }) {
  return (
    <span className="flex items-center gap-3">
      <span className="whitespace-nowrap">{last === undefined ? "–" : trip(last)}</span>
      {trips.length > 1 && (
        <>
          <Sparkline of="peer" values={trips} label={`Round trips to ${peer}, the last ${trips.length}`} className="!h-6 max-w-48 min-w-0 flex-1" />
          <span className="text-xs whitespace-nowrap text-text-3">
            {trip(Math.min(...trips))} to {trip(Math.max(...trips))}
          </span>
        </>
      )}
    </span>
  );
}

function Waiting({ mail: m }: { mail: Mail }) {
  const [busy, setBusy] = useState(false);
  const cancel = async () => {
    setBusy(true);
    try {
      await unwrap(api.POST("/api/messages/{id}/cancel", { params: { path: { id: m.id } } }));
    } catch (cause) {
      sayFailed("Not cancelled", cause);
    } finally {
      setBusy(false);
    }
  };
  return (
    <li className="flex min-w-0 flex-col gap-1">
      <span className="flex items-baseline gap-3">
        <bdi className="min-w-0 flex-1 truncate">{visible(m.text.slice(0, 300))}</bdi>
        <span className="text-xs whitespace-nowrap text-text-3">
          <bdi>{m.from === "user" ? "you" : m.from}</bdi> to <bdi>{m.to === "user" ? "its user" : m.to}</bdi>
        </span>
      </span>
      <span className="flex items-center gap-3">
        <Receipt mail={m} />
        <button type="button" disabled={busy} onClick={() => void cancel()} className="ml-auto rounded-xs text-xs underline underline-offset-2 hover:text-text max-md:min-h-11">
          Cancel it
        </button>
      </span>
    </li>
  );
}
