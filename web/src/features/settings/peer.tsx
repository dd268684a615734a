import { useLocation } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { api, unwrap, type Peer } from "~/api/client";
import { useSnapshot } from "~/api/state";
import { useNow } from "~/lib/now";
import { ago } from "~/lib/time";
import { Button } from "~/ui/button";
import { Dialog } from "~/ui/controls";
import { Note } from "~/ui/note";
import { PeerDot } from "~/ui/status";
import { say, sayFailed } from "~/ui/toast";

/** One paired machine, and the way out of the pairing. */
export function PeerCard({ peer }: { peer: Peer }) {
  const now = useNow();
  const waiting = useSnapshot((s) => (s.messages ?? []).filter((m) => m.direction === "out" && m.peer === peer.id && ["queued", "sent", "held"].includes(m.state)).length) ?? 0;
  const [leaving, setLeaving] = useState(false);
  const hash = useLocation({ select: (l) => l.hash });
  useEffect(() => {
    if (hash === peer.id) document.getElementById(peer.id)?.scrollIntoView({ block: "center" });
  }, [hash, peer.id]);
  const unpair = async () => {
    setLeaving(false);
    try {
      const did = await unwrap(api.DELETE("/api/federation/peers/{id}", { params: { path: { id: peer.id } } }));
      say(`${peer.name} is unpaired, ${did.cancelled?.length ?? 0} messages cancelled`);
    } catch (cause) {
      sayFailed("Not unpaired", cause);
    }
  };
  return (
    <article id={peer.id} className="rounded-lg border border-remote-line bg-remote-wash p-4">
      <header className="flex flex-wrap items-center gap-2">
        <PeerDot open={peer.connected} />
        <h3 className="text-md">
          <bdi className="text-remote-text">{peer.name}</bdi>
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
      <Dialog
        open={leaving}
        onClose={() => setLeaving(false)}
        title={`Unpair ${peer.name}?`}
        footer={
          <>
            <Button onClick={() => setLeaving(false)}>Keep it</Button>
            <Button look="danger" onClick={() => void unpair()}>
              Unpair{waiting > 0 ? ` and drop ${waiting} ${waiting === 1 ? "message" : "messages"}` : ""}
            </Button>
          </>
        }
      >
        <Note>Its jobs end, its addresses leave the gate, and what waits for it is cancelled. To pair again, both users confirm anew.</Note>
      </Dialog>
    </article>
  );
}
