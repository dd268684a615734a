import { useLocation } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import type { Peer } from "~/api/client";
import { useNow } from "~/lib/now";
import { ago } from "~/lib/time";
import { visible } from "~/lib/visible";
import { Button } from "~/ui/button";
import { Note } from "~/ui/note";
import { PeerDot } from "~/ui/status";
import { Unpair } from "./unpair";

/** One paired machine, and the way out of the pairing. */
export function PeerCard({ peer }: { peer: Peer }) {
  const now = useNow();
  const [leaving, setLeaving] = useState(false);
  const hash = useLocation({ select: (l) => l.hash });
  useEffect(() => {
    if (hash === peer.id) document.getElementById(peer.id)?.scrollIntoView({ block: "center" });
  }, [hash, peer.id]);
  return (
    <article id={peer.id} className="rounded-lg border border-remote-line bg-remote-wash p-4">
      <header className="flex flex-wrap items-center gap-2">
        <PeerDot open={peer.connected} />
        <h3 className="text-md">
          <bdi className="text-remote-text">{visible(peer.name)}</bdi>
        </h3>
        <span className="text-xs text-text-3">{peer.connected ? "connected" : peer.state === "active" ? "not connected" : peer.state}</span>
        <span className="flex-1" />
        <Button size="sm" look="danger" onClick={() => setLeaving(true)}>
          Unpair
        </Button>
      </header>
      <dl className="mt-3 grid grid-cols-[120px_1fr] gap-y-1.5 max-md:grid-cols-1 max-md:gap-y-0">
        <dt className="text-text-3">Daemon ID</dt>
        <dd className="font-mono text-xs break-all">{peer.id}</dd>
        <dt className="text-text-3">Addresses</dt>
        <dd className="break-words">{[...(peer.addresses ?? []), ...(peer.gate ?? [])].join(", ")}</dd>
        <dt className="text-text-3">Paired</dt>
        <dd>
          {ago(peer.pairedAt, now)}
          {peer.mine && ", your own machine"}
        </dd>
        <dt className="text-text-3">May</dt>
        <dd className="break-words">
          open jobs: {peer.policy.open}, messages: {peer.policy.message}, its text: {peer.policy.taint}
        </dd>
      </dl>
      {peer.problem && <Note tone="failed">{peer.problem}</Note>}
      {leaving && <Unpair peer={peer} onClose={() => setLeaving(false)} />}
    </article>
  );
}
