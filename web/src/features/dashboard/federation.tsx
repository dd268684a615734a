import { Link } from "@tanstack/react-router";
import { Link2, Network } from "lucide-react";
import { useRoundTrips } from "~/api/trips";
import type { Job, Peer } from "~/api/client";
import { useSnapshot } from "~/api/state";
import { trip } from "~/lib/figures";
import { useNow } from "~/lib/now";
import { span } from "~/lib/time";
import { visible } from "~/lib/visible";
import { Button } from "~/ui/button";
import { Sparkline } from "~/ui/sparkline";
import { longestUp, messagesOf } from "./sums";

const nobody: Peer[] = [];
const none: Job[] = [];

/** Who is connected, what has crossed, and for how long. */
export function FederationCard({ onPair }: { onPair: () => void }) {
  const now = useNow();
  const peers = useSnapshot((s) => s.peers) ?? nobody;
  const remote = useSnapshot((s) => (s.remoteAgents ?? []).length) ?? 0;
  const jobs = useSnapshot((s) => s.jobs) ?? none;
  const connected = peers.filter((p) => p.connected);
  const up = longestUp(peers);
  const open = jobs.filter((j) => j.state === "open").length;
  const crossed = messagesOf(jobs);
  const n = (count: number, one: string, more: string) => [count, count === 1 ? one : more] as const;
  return (
    <section className="flex min-h-[124px] min-w-0 flex-col rounded-lg border border-remote-line bg-remote-wash px-3.5 py-3 max-lg:col-span-full">
      <header className="flex items-center gap-2">
        <Network size={16} aria-hidden className="flex-none text-remote-text" />
        <h2 className="flex-1 font-medium text-remote-text">Federation</h2>
        {connected.slice(0, 2).map((p) => (
          <Trip key={p.id} peer={p} />
        ))}
        {connected.length > 2 && <span className="text-xs text-text-2">and {connected.length - 2} more</span>}
      </header>
      {peers.length === 0 ? (
        <div className="mt-auto flex flex-wrap items-end gap-3">
          <p className="min-w-48 flex-1 text-text-2">No machine is paired. Pair your server or a colleague's machine, and agents on both can work as one team.</p>
          <Button size="sm" onClick={onPair} className="!border-remote !text-remote-text">
            <Link2 size={14} /> Pair a machine
          </Button>
        </div>
      ) : (
        <dl className="mt-auto grid grid-cols-[repeat(5,auto)] justify-between gap-x-3.5 gap-y-1 max-sm:grid-cols-[repeat(3,auto)]">
          {[
            n(connected.length, "peer connected", "peers connected"),
            n(remote, "remote agent", "remote agents"),
            n(crossed, "message", "messages"),
            [up ? span(now - up) : "–", "bridge uptime"] as const,
            n(open, "active job", "active jobs"),
          ].map(([figure, what]) => (
            <div key={what} className="flex min-w-0 flex-col">
              <dd className="text-xl font-semibold tracking-tight whitespace-nowrap">{figure.toLocaleString()}</dd>
              <dt className="order-last text-xs text-text-2">{what}</dt>
            </div>
          ))}
        </dl>
      )}
    </section>
  );
}

function Trip({ peer }: { peer: Peer }) {
  const trips = useRoundTrips(peer.id, peer.connected);
  return (
    <Link to="/settings" hash={peer.id} className="flex min-w-0 items-center gap-1.5 text-xs text-text-2 hover:text-text">
      <Sparkline of="peer" values={trips.slice(-60)} label={`Round trips to ${peer.name}`} className="!h-4 !w-12 max-sm:hidden" />
      <span className="truncate">
        <bdi>{visible(peer.name)}</bdi>
        {peer.rttMs !== undefined && `, ${trip(peer.rttMs)}`}
      </span>
    </Link>
  );
}
