// What the federation card says, from what the daemon knows. Nothing here draws.
import type { Job, Peer } from "~/api/client";

/** What has crossed over all jobs, both ways. */
export function messagesOf(jobs: Job[]): number {
  return jobs.flatMap((j) => j.legs ?? []).reduce((n, l) => n + l.sent + l.received, 0);
}

/** Since when the connection stands that has stood longest, in ms. */
export function longestUp(peers: Peer[]): number | undefined {
  const all = peers.flatMap((p) => (p.connected && p.connectedSince ? [Date.parse(p.connectedSince)] : []));
  return all.length > 0 ? Math.min(...all) : undefined;
}
