import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { Funnel, List, Network, Search, Users, Workflow } from "lucide-react";
import { memo, Suspense, useCallback, useDeferredValue, useState, type ReactNode } from "react";
import type { Agent, RemoteAgent, Snapshot } from "~/api/client";
import { useAgent, useSnapshot } from "~/api/state";
import { later } from "~/lib/later";
import { visible } from "~/lib/visible";
import { remembered } from "~/lib/store";
import { Button } from "~/ui/button";
import { Segmented } from "~/ui/basic";
import { Empty, Skeleton } from "~/ui/note";
import { Guide } from "./guide";
import { Launch } from "./launch";
import { localID, remoteID, type Placed, type Spots } from "./layout";
import { AgentList } from "./list";
import { SidePanel } from "./side";

const Tree = later(() => import("./tree").then((m) => m.default));
const FirstRun = later(() => import("./first-run").then((m) => m.FirstRun));

type Look = "tree" | "list";
const look = remembered<Look>("agents.view", "tree", (v): v is Look => v === "tree" || v === "list");
const filters = ["any", "alive", "running", "awaiting", "idle", "stalled", "ended"] as const;
type Filter = (typeof filters)[number];
const endings = new Set(["completed", "crashed", "killed", "failed", "removed"]);

function fits(filter: Filter, status: string): boolean {
  switch (filter) {
    case "any":
      return true;
    case "alive":
      return !endings.has(status);
    case "ended":
      return endings.has(status);
    default:
      return filter === status;
  }
}

type Props = {
  onSpawn: (role?: string) => void;
  onPair: () => void;
  panel: (a: Agent, close: () => void) => ReactNode;
  remotePanel: (a: RemoteAgent, close: () => void) => ReactNode;
};

type Sieve = { status: Filter; team: string; text: string; peers: boolean };

/** Who is shown: what of them decides where they stand. Whatever else they do, their cards tell. */
function shown(s: Snapshot, { status, team, text, peers }: Sieve, name: string | undefined): Spots {
  const said = (...of: (string | undefined)[]) => of.some((o) => o?.toLowerCase().includes(text));
  const agents = (s.agents ?? []).filter((a) => a.name === name || (fits(status, a.status) && (!team || a.team === team) && said(a.name, a.role, a.program, a.team, a.title)));
  const remotes = peers ? (s.remoteAgents ?? []).filter((a) => fits(status, a.status) && said(a.agent, a.role, a.title, a.peerName)) : [];
  return {
    agents: agents.map((a) => ({ name: a.name, role: a.role, team: a.team })),
    remotes: remotes.map((a) => ({ peer: a.peer, agent: a.agent })),
    peers: peers ? (s.peers ?? []).map((p) => ({ id: p.id, name: p.name })) : [],
    legs: (s.jobs ?? []).flatMap((j) => (j.legs ?? []).map((l, leg) => ({ job: j.jobId, leg, peer: l.peer, state: l.state, agents: l.agents, peerAgents: l.peerAgents }))),
  };
}

/** The team on both machines: tree or list, and beside it the agent that is looked at. */
export function AgentsView({ onSpawn, onPair, panel, remotePanel }: Props) {
  const { name } = useParams({ strict: false }) as { name?: string };
  const { peer, wide } = useSearch({ strict: false }) as { peer?: string; wide?: boolean };
  const navigate = useNavigate();
  const now = look.use();
  const [filter, setFilter] = useState<Filter>("alive");
  const [peersShown, showPeers] = useState(true);
  const [team, setTeam] = useState("");
  const [typed, type] = useState("");
  const text = useDeferredValue(typed.trim().toLowerCase());
  const teams = useSnapshot((s) => [...new Set((s.agents ?? []).map((a) => a.team).filter((t) => t !== undefined && t !== ""))].sort().join(" "))?.split(" ").filter(Boolean) ?? [];
  const here = useSnapshot((s) => s.status.name);
  const nobody = useSnapshot((s) => !s.agents?.length && !s.remoteAgents?.length);
  const spots = useSnapshot(useCallback((s: Snapshot) => shown(s, { status: filter, team, text, peers: peersShown }, name), [filter, team, text, name, peersShown]));
  const chosen = useSnapshot((s) => !peer && (s.agents ?? []).some((a) => a.name === name)) && name;
  const remote = useSnapshot((s) => (peer ? (s.remoteAgents ?? []).find((a) => a.peer === peer && a.agent === name) : undefined));
  const all = () => {
    setFilter("any");
    setTeam("");
    type("");
    showPeers(true);
  };
  const close = useCallback(() => void navigate({ to: "/agents" }), [navigate]);
  const select = useCallback(
    (p: Placed) => {
      if (p.kind === "local") void navigate({ to: "/agents/$name", params: { name: p.name } });
      if (p.kind === "remote") void navigate({ to: "/agents/$name", params: { name: p.name }, search: { peer: p.peer } });
      if (p.kind === "job") void navigate({ to: "/jobs/$job", params: { job: p.job } });
    },
    [navigate],
  );
  if (!spots || !here) return <Skeleton rows={5} />;
  if (nobody)
    return (
      <Suspense fallback={<Skeleton rows={5} />}>
        <FirstRun onSpawn={onSpawn} onPair={onPair} />
      </Suspense>
    );
  return (
    <>
      {!(wide && chosen) && <section className={`flex min-h-0 min-w-0 flex-1 flex-col ${name ? "max-md:hidden" : ""}`} aria-label="Agents">
        <div className="@container flex h-11 flex-none items-center gap-2 overflow-x-auto border-b border-border px-3">
          <Segmented<Look>
            label="View"
            value={now}
            onChange={look.set}
            options={[
              { value: "tree", label: <><Workflow size={14} /> Tree</> },
              { value: "list", label: <><List size={14} /> List</> },
            ]}
          />
          <label className="flex h-7 flex-none items-center gap-1.5 rounded-md px-2 font-medium text-text-2 hover:bg-hover focus-within:bg-hover max-md:h-11">
            <Funnel size={14} aria-hidden /> Status:
            <select value={filter} onChange={(e) => setFilter(e.target.value as Filter)} className="rounded-sm bg-transparent">
              {filters.map((f) => (
                <option key={f} value={f}>
                  {f}
                </option>
              ))}
            </select>
          </label>
          {teams.length > 0 && (
            <label className="flex h-7 flex-none items-center gap-1.5 rounded-md px-2 font-medium text-text-2 hover:bg-hover focus-within:bg-hover max-md:h-11">
              <Users size={14} aria-hidden /> Team:
              <select value={team} onChange={(e) => setTeam(e.target.value)} className="max-w-40 rounded-sm bg-transparent">
                <option value="">any</option>
                {teams.map((t) => (
                  <option key={t} value={t}>
                    {t}
                  </option>
                ))}
              </select>
            </label>
          )}
          <label className="flex h-7 flex-none items-center gap-1.5 rounded-md border border-transparent px-2 text-text-2 focus-within:border-border-control hover:bg-hover max-md:h-11">
            <Search size={14} aria-hidden />
            <input type="search" aria-label="Filter agents" placeholder="Filter" value={typed} onChange={(e) => type(e.target.value)} className="w-28 rounded-sm bg-transparent placeholder:text-text-3" />
          </label>
          <Button look="ghost" size="sm" aria-pressed={peersShown} onClick={() => showPeers(!peersShown)} className="text-remote-text">
            <Network size={14} /> Peers {peersShown ? "shown" : "hidden"}
          </Button>
          <span className="ml-auto text-xs whitespace-nowrap text-text-3 @max-[840px]:hidden">
            {spots.agents.length} here, {spots.remotes.length} remote
          </span>
        </div>
        {spots.agents.length + spots.remotes.length === 0 ? (
          <Empty title="No agent fits" action={<Button onClick={all}>Show all</Button>}>
            {filter === "any" ? "Nobody is called so, here or on a peer." : `Nobody who is ${filter} fits.`}
          </Empty>
        ) : now === "tree" ? (
          <div className="min-h-0 flex-1">
            <Suspense fallback={<Skeleton rows={5} />}>
              <Tree here={here} spots={spots} selected={chosen ? localID(chosen) : remote ? remoteID(remote.peer, remote.agent) : ""} onSelect={select} />
            </Suspense>
          </div>
        ) : (
          <AgentList agents={spots.agents.map((a) => a.name)} remotes={spots.remotes} selected={name} />
        )}
        <Guide onSpawn={onSpawn} onPair={onPair} />
      </section>}
      {chosen && <Chosen name={chosen} wide={wide} panel={panel} close={close} />}
      {remote && <SidePanel>{remotePanel(remote, close)}</SidePanel>}
      {name && !chosen && !remote && (
        <SidePanel key="nobody">
          {/* One that was spawned just now is told of in a moment. */}
          <div className="opacity-0 [animation:appear_170ms_800ms_forwards]">
            <Empty title="No such agent" action={<Button onClick={close}>Close</Button>}>
              Nobody is called <bdi>{visible(name)}</bdi> {peer ? "on that machine, as far as is known here" : "here"}. It may have been removed, or its job has ended.
            </Empty>
          </div>
        </SidePanel>
      )}
    </>
  );
}

const Chosen = memo(function Chosen({ name, wide, panel, close }: { name: string; wide?: boolean; panel: Props["panel"]; close: () => void }) {
  const agent = useAgent(name);
  return (
    agent && (
      <SidePanel wide={wide}>
        <Launch agent={agent} />
        {panel(agent, close)}
      </SidePanel>
    )
  );
});
