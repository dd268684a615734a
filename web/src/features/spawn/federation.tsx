import clsx from "clsx";
import { Network } from "lucide-react";
import type { RemoteAgent } from "~/api/client";
import { useSnapshot } from "~/api/state";
import { Button } from "~/ui/button";
import { Choice, Choices, Disc, Toggle } from "~/ui/choice";
import { Field, Input, Select } from "~/ui/controls";
import { Note } from "~/ui/note";
import { StatusDot } from "~/ui/status";
import { positive, type Draft } from "./draft";

const ended = new Set(["completed", "crashed", "killed", "failed", "removed"]);

/** How the agent is connected to a peer: whom, in which way, and for how long. */
export function Federation({ draft, set, onPair }: { draft: Draft; set: (part: Partial<Draft>) => void; onPair: () => void }) {
  const peers = (useSnapshot((s) => s.peers) ?? []).filter((p) => p.state === "active");
  const jobs = useSnapshot((s) => s.jobs) ?? [];
  const remote = (useSnapshot((s) => s.remoteAgents) ?? []).filter((a) => a.peer === draft.peer && !ended.has(a.status));
  const peer = peers.find((p) => p.id === draft.peer);
  const rtt = jobs.flatMap((j) => j.legs ?? []).find((l) => l.peer === draft.peer && l.rttMs)?.rttMs;
  return (
    <section aria-labelledby="spawn-federation" className={clsx("flex flex-col gap-3.5 border-t border-border px-6 py-3.5 max-md:px-4", draft.linked && "bg-remote-wash")}>
      <h3 id="spawn-federation" className="flex items-center gap-2 text-remote-text">
        <Network size={16} aria-hidden /> Federation
      </h3>
      {peers.length === 0 ? (
        <Note
          tone="remote"
          title="No machine is paired yet"
          actions={
            <Button size="sm" onClick={onPair}>
              Pair a machine
            </Button>
          }
        >
          An agent can work with those of another machine: pair it first. What you filled in stays.
        </Note>
      ) : (
        <>
          <div className="flex flex-wrap items-center gap-3">
            <Toggle remote label="Connect to peer" on={draft.linked} onChange={(linked) => set({ linked, peer: draft.peer || (peers[0]?.id ?? "") })} />
            {draft.linked && (
              <>
                <Select aria-label="Peer" value={draft.peer} onChange={(e) => set({ peer: e.target.value, agents: undefined })} className="max-w-[330px] min-w-40 flex-1 !w-auto">
                  {!peer && <option value="">Choose a peer</option>}
                  {peers.map((p) => (
                    <option key={p.id} value={p.id}>
                      {p.name} {p.addresses?.[0] ? `(${p.addresses[0]})` : ""}
                    </option>
                  ))}
                </Select>
                <span className="text-xs whitespace-nowrap text-text-3">{peer?.connected ? `connected${rtt ? `, ${Math.round(rtt)} ms` : ""}` : peer ? "dialled when the job opens" : ""}</span>
              </>
            )}
          </div>
          {draft.linked && peer && (
            <>
              <Ways draft={draft} set={set} />
              <Agents draft={draft} set={set} remote={remote} name={peer.name} />
              <Ends draft={draft} set={set} />
            </>
          )}
        </>
      )}
    </section>
  );
}

function Ways({ draft, set }: { draft: Draft; set: (part: Partial<Draft>) => void }) {
  return (
    <Choices
      aria-label="Way of the link"
      value={draft.link}
      onValueChange={(v) => set(v === "direct" ? { link: "direct", agents: draft.agents?.slice(0, 1) } : { link: "ambassador" })}
      className="grid grid-cols-2 gap-4 max-sm:grid-cols-1"
    >
      <Choice value="ambassador" label="Ambassador" remote className="flex gap-2.5 p-3">
        <Disc remote />
        <span>
          <b className="block font-semibold">Ambassador</b>
          <span className="block text-xs text-text-3">Relays between both teams; the rest of its team here talks to it.</span>
        </span>
      </Choice>
      <Choice value="direct" label="Direct link" remote className="flex gap-2.5 p-3">
        <Disc remote />
        <span>
          <b className="block font-semibold">Direct link</b>
          <span className="block text-xs text-text-3">One channel from this agent to one remote agent. Nobody else uses it.</span>
        </span>
      </Choice>
    </Choices>
  );
}

/** Which of the peer's agents take part: all, some, or for a direct link one. */
function Agents({ draft, set, remote, name }: { draft: Draft; set: (part: Partial<Draft>) => void; remote: RemoteAgent[]; name: string }) {
  const one = draft.link === "direct";
  const chosen = new Set(draft.agents ?? (one ? [] : remote.map((a) => a.agent)));
  const turn = (agent: string) => {
    if (one) return set({ agents: chosen.has(agent) ? [] : [agent], others: "" });
    set({ agents: remote.map((a) => a.agent).filter((a) => (a === agent) !== chosen.has(a)) });
  };
  return (
    <div className="flex flex-col gap-2.5">
      <div role="group" aria-label="Remote agents" className="flex flex-wrap items-center gap-1.5">
        <span className="mr-1 text-text-2">Remote agents</span>
        {remote.map((a) => (
          <button
            key={a.agent}
            type="button"
            aria-pressed={chosen.has(a.agent)}
            onClick={() => turn(a.agent)}
            title={[a.status, a.title || a.role, a.activity].filter(Boolean).join(", ")}
            className="inline-flex h-7 max-w-full items-center gap-1.5 rounded-sm border border-dashed border-border-control px-2 text-text-2 hover:bg-hover aria-pressed:border-solid aria-pressed:border-remote aria-pressed:bg-remote-soft aria-pressed:text-remote-text max-md:h-11"
          >
            <StatusDot status={a.status} />
            <bdi className="truncate font-medium">{a.agent}</bdi>
            <span className="sr-only">, {a.status}</span>
            {a.role && <bdi className="truncate text-xs text-text-3 in-aria-pressed:text-remote-text">{a.role}</bdi>}
          </button>
        ))}
        {remote.length === 0 && (
          <span className="text-xs text-text-3">
            <bdi>{name}</bdi> shows no living agent. Name those that there will be:
          </span>
        )}
      </div>
      {(remote.length === 0 || draft.others) && <Input aria-label="Remote agents by name" value={draft.others} onChange={(e) => set({ others: e.target.value })} placeholder="backend-1" className="max-w-[330px] font-mono" spellCheck={false} />}
    </div>
  );
}

function Ends({ draft, set }: { draft: Draft; set: (part: Partial<Draft>) => void }) {
  const hours = positive(draft.hours);
  const idle = positive(draft.idle);
  return (
    <div className="flex flex-wrap items-start gap-4">
      <div className="w-32">
        <Field label="TTL in hours" error={draft.hours && (hours < 1 / 60 || hours > 24) ? "1 min to 24 h" : undefined}>
          {(p) => <Input {...p} inputMode="decimal" disabled={draft.keepAlive} value={draft.hours} onChange={(e) => set({ hours: e.target.value })} placeholder="2" />}
        </Field>
      </div>
      <div className="w-32">
        <Field label="Idle in minutes" error={draft.idle && (idle < 1 || idle > 1440) ? "1 to 1440" : undefined}>
          {(p) => <Input {...p} inputMode="decimal" disabled={draft.keepAlive} value={draft.idle} onChange={(e) => set({ idle: e.target.value })} placeholder="15" />}
        </Field>
      </div>
      <div className="min-w-56 flex-1 pt-0.5">
        <Toggle remote label="Keep alive" on={draft.keepAlive} onChange={(keepAlive) => set({ keepAlive })}>
          {draft.keepAlive ? "On: it is renewed each day until one side ends it." : "Off: it rests when idle and ends at its TTL, or when all its agents are done."}
        </Toggle>
      </div>
    </div>
  );
}
