import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { Funnel, List, Network, Workflow } from "lucide-react";
import { Suspense, useMemo, useState, type ReactNode } from "react";
import type { Agent, RemoteAgent } from "~/api/client";
import { useSnapshot } from "~/api/state";
import { lazily } from "~/lib/lazily";
import { remembered } from "~/lib/store";
import { Button } from "~/ui/button";
import { Menu, Segmented } from "~/ui/controls";
import { Skeleton } from "~/ui/note";
import { FirstRun, Guide } from "./first-run";
import { Launch } from "./launch";
import { localID, remoteID, type Placed } from "./layout";
import { AgentList } from "./list";
import { SidePanel } from "./side";

const Tree = lazily(() => import("./tree").then((m) => m.default));

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

/** The team on both machines: tree or list, and beside it the agent that is looked at. */
export function AgentsView({ onSpawn, onPair, panel, remotePanel }: Props) {
  const { name } = useParams({ strict: false }) as { name?: string };
  const { peer, wide } = useSearch({ strict: false }) as { peer?: string; wide?: boolean };
  const navigate = useNavigate();
  const now = look.use();
  const [filter, setFilter] = useState<Filter>("alive");
  const [peersShown, showPeers] = useState(true);
  const here = useSnapshot((s) => s.status.name);
  const all = useSnapshot((s) => s.agents);
  const everyRemote = useSnapshot((s) => s.remoteAgents);
  const peers = useSnapshot((s) => s.peers);
  const jobs = useSnapshot((s) => s.jobs);
  const agents = useMemo(() => (all ?? []).filter((a) => fits(filter, a.status) || a.name === name), [all, filter, name]);
  const remotes = useMemo(() => (peersShown ? (everyRemote ?? []).filter((a) => fits(filter, a.status)) : []), [everyRemote, peersShown, filter]);
  const chosen = peer ? undefined : (all ?? []).find((a) => a.name === name);
  const remote = peer ? (everyRemote ?? []).find((a) => a.peer === peer && a.agent === name) : undefined;
  const close = () => void navigate({ to: "/agents" });
  const select = (p: Placed) => {
    if (p.kind === "local") void navigate({ to: "/agents/$name", params: { name: p.agent.name } });
    if (p.kind === "remote") void navigate({ to: "/agents/$name", params: { name: p.agent.agent }, search: { peer: p.agent.peer } });
    if (p.kind === "job") void navigate({ to: "/jobs/$job", params: { job: p.job.jobId } });
  };
  if (!all || !here) return <Skeleton rows={5} />;
  if (all.length === 0 && !everyRemote?.length) return <FirstRun onSpawn={onSpawn} onPair={onPair} />;
  return (
    <>
      {!(wide && chosen) && <section className={`flex min-h-0 min-w-0 flex-1 flex-col ${chosen || remote ? "max-md:hidden" : ""}`} aria-label="Agents">
        <div className="flex h-11 flex-none items-center gap-2 overflow-x-auto border-b border-border px-3">
          <Segmented<Look>
            label="View"
            value={now}
            onChange={look.set}
            options={[
              { value: "tree", label: <><Workflow size={14} /> Tree</> },
              { value: "list", label: <><List size={14} /> List</> },
            ]}
          />
          <Menu
            label="Status"
            trigger={
              <Button look="ghost" size="sm">
                <Funnel size={14} /> Status: {filter}
              </Button>
            }
            items={filters.map((f) => ({ label: f, onSelect: () => setFilter(f) }))}
          />
          <Button look="ghost" size="sm" aria-pressed={peersShown} onClick={() => showPeers(!peersShown)} className="text-remote-text">
            <Network size={14} /> Peers {peersShown ? "shown" : "hidden"}
          </Button>
          <span className="ml-auto text-xs whitespace-nowrap text-text-3">
            {agents.length} here, {remotes.length} remote
          </span>
        </div>
        {now === "tree" ? (
          <div className="min-h-0 flex-1">
            <Suspense fallback={<Skeleton rows={5} />}>
              <Tree here={here} agents={agents} remotes={remotes} peers={peersShown ? (peers ?? []) : []} jobs={jobs ?? []} selected={chosen ? localID(chosen.name) : remote ? remoteID(remote.peer, remote.agent) : ""} onSelect={(_, p) => select(p)} />
            </Suspense>
          </div>
        ) : (
          <AgentList agents={agents} remotes={remotes} selected={name} />
        )}
        <Guide onSpawn={onSpawn} onPair={onPair} />
      </section>}
      {chosen && (
        <SidePanel wide={wide}>
          <Launch agent={chosen} />
          {panel(chosen, close)}
        </SidePanel>
      )}
      {remote && <SidePanel>{remotePanel(remote, close)}</SidePanel>}
    </>
  );
}
