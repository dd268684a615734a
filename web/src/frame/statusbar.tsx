import { Link } from "@tanstack/react-router";
import { Hand, Network } from "lucide-react";
import clsx from "clsx";
import { useLink, useSnapshot } from "~/api/state";
import { useToday } from "~/api/usage";
import { money } from "~/lib/figures";

/** "Connected | 3/4 agents | Federation: 1 peer (3 remote agents)", and what waits. */
export function StatusBar() {
  const link = useLink();
  const agents = useSnapshot((s) => s.agents) ?? [];
  const peers = useSnapshot((s) => (s.peers ?? []).filter((p) => p.connected).length) ?? 0;
  const remote = useSnapshot((s) => (s.remoteAgents ?? []).length) ?? 0;
  const asked = useSnapshot((s) => (s.approvals ?? []).length) ?? 0;
  const status = useSnapshot((s) => s.status);
  const costs = useToday();
  const alive = agents.filter((a) => ["idle", "running", "awaiting", "stalled"].includes(a.status));
  const open = link.state === "open";
  const item = "inline-flex h-[22px] items-center gap-1.5 rounded-sm px-2";
  return (
    <footer className="col-span-2 flex items-center gap-0.5 overflow-hidden px-2 text-xs whitespace-nowrap text-text-2 max-md:hidden">
      <span className={item} role="status">
        <span aria-hidden className={clsx("size-2 rounded-full", open ? "bg-running" : "rounded-[1.5px] bg-failed")} />
        {open ? "Connected" : link.state === "connecting" ? "Connecting" : "Not connected"}
      </span>
      <Line />
      <Link to="/agents" className={clsx(item, "hover:bg-hover")}>
        {alive.length}/{agents.length} agents
      </Link>
      {(peers > 0 || remote > 0) && (
        <>
          <Line />
          <Link to="/jobs" className={clsx(item, "text-remote-text hover:bg-hover")}>
            <Network size={12} aria-hidden />
            Federation: {peers} {peers === 1 ? "peer" : "peers"} ({remote} remote {remote === 1 ? "agent" : "agents"})
          </Link>
        </>
      )}
      <span className="flex-1" />
      {asked > 0 && (
        <Link to="/approvals" className={clsx(item, "text-awaiting-text hover:bg-hover")}>
          <Hand size={12} aria-hidden />
          {asked} {asked === 1 ? "approval" : "approvals"}
        </Link>
      )}
      {status && status.waiting > 0 && <span className={item}>{status.waiting} waiting in the outbox</span>}
      {costs.length > 0 && (
        <Link to="/dashboard" className={clsx(item, "hover:bg-hover")}>
          {costs.map((c) => money(c.value, c.currency)).join(", ")} today
        </Link>
      )}
      <span className={item}>groove {status?.version}</span>
    </footer>
  );
}

function Line() {
  return <span aria-hidden className="h-3 w-px bg-border-strong" />;
}
