import { useQuery } from "@tanstack/react-query";
import { useLocation } from "@tanstack/react-router";
import { Link2, Network } from "lucide-react";
import { useEffect, useState } from "react";
import { api, unwrap, type Peer, type Status } from "~/api/client";
import { useSnapshot } from "~/api/state";
import { useNow } from "~/lib/now";
import { ago } from "~/lib/time";
import { Button } from "~/ui/button";
import { Dialog } from "~/ui/controls";
import { Empty, Note, Refused, Skeleton } from "~/ui/note";
import { Badge, PeerDot } from "~/ui/status";
import { say, sayFailed } from "~/ui/toast";

const modes: Record<string, string> = {
  kernel: "The kernel drops what does not come from a peer: a port scan sees nothing.",
  reset: "The daemon accepts and resets what does not come from a peer: a port scan sees an open port.",
};

/** Federation, peers and settings. */
export function SettingsView({ onPair }: { onPair: () => void }) {
  const status = useSnapshot((s) => s.status);
  const peers = useSnapshot((s) => s.peers);
  if (!status || !peers) return <Skeleton />;
  return (
    <div className="min-h-0 flex-1 overflow-y-auto">
      <div className="mx-auto flex max-w-[1000px] flex-col gap-8 p-6">
        <Daemon status={status} />
        <section className="flex flex-col gap-3" aria-labelledby="peers">
          <header className="flex items-center gap-2">
            <h2 id="peers" className="flex-1 text-lg">
              Paired machines
            </h2>
            <Button look="primary" onClick={onPair}>
              <Link2 size={14} /> Pair a machine
            </Button>
          </header>
          {peers.length === 0 && (
            <Empty icon={<Network size={24} />} title="No machine is paired">
              Pair your server, or a colleague's machine. Pairing alone lets nothing cross; it lets you open jobs.
            </Empty>
          )}
          {peers.map((p) => (
            <PeerCard key={p.id} peer={p} />
          ))}
        </section>
        <Config />
      </div>
    </div>
  );
}

function Daemon({ status }: { status: Status }) {
  const gate = status.gate;
  return (
    <section className="flex flex-col gap-3" aria-labelledby="daemon">
      <h1 id="daemon" className="text-xl">
        <bdi>{status.name}</bdi>
      </h1>
      <dl className="grid grid-cols-[160px_1fr] gap-y-2 max-md:grid-cols-1 max-md:gap-y-0.5">
        <dt className="text-text-3">Daemon ID</dt>
        <dd className="font-mono text-xs break-all">{status.id}</dd>
        <dt className="text-text-3">Home</dt>
        <dd className="font-mono text-xs break-all">{status.home}</dd>
        <dt className="text-text-3">Bridge port</dt>
        <dd>{gate.open ? (gate.listen ?? []).join(", ") : "closed: nobody is paired"}</dd>
        <dt className="text-text-3">Gate</dt>
        <dd>
          <Badge className={gate.mode === "kernel" ? "bg-running-soft text-running-text" : "bg-awaiting-soft text-awaiting-text"}>{gate.mode}</Badge> <span className="text-text-2">{modes[gate.mode]}</span>
          {gate.improve && (
            <p className="mt-1 text-xs text-text-3">
              To hide it better: <code className="font-mono">{gate.improve}</code>
            </p>
          )}
        </dd>
        <dt className="text-text-3">Admitted</dt>
        <dd className="break-words">{(gate.sources ?? []).join(", ") || "nobody"}</dd>
      </dl>
      {(status.problems ?? []).map((p, i) => (
        <Note key={i} tone="failed" title={<code className="font-mono text-xs">{p.kind}</code>}>
          {p.detail} {p.fix && <>What helps: {p.fix}</>}
        </Note>
      ))}
    </section>
  );
}

function PeerCard({ peer }: { peer: Peer }) {
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
            <Button acts look="danger" onClick={() => void unpair()}>
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

function Config() {
  const config = useQuery({ queryKey: ["config"], queryFn: ({ signal }) => unwrap(api.GET("/api/config", { signal })) });
  if (config.isError) return <Refused what="The settings cannot be read." cause={config.error} />;
  return (
    <section aria-labelledby="settings" className="flex flex-col gap-3">
      <h2 id="settings" className="text-lg">
        Settings
      </h2>
      <p className="text-text-2">
        <code className="font-mono text-xs">groove config set KEY VALUE</code> changes one; the daemon reads them at its start.
      </p>
      <div className="overflow-x-auto rounded-lg border border-border">
        <table className="w-full text-left">
          <thead className="bg-sunken text-xs text-text-3">
            <tr>
              {["Setting", "Value", "From"].map((h) => (
                <th key={h} scope="col" className="px-3 py-2 font-medium">
                  {h}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {(config.data ?? []).map((s) => (
              <tr key={s.key} className="border-t border-border">
                <td className="px-3 py-1.5 font-mono text-xs whitespace-nowrap" title={s.allowed}>
                  {s.key}
                </td>
                <td className="px-3 py-1.5 font-mono text-xs break-all">{typeof s.value === "string" ? s.value : JSON.stringify(s.value)}</td>
                <td className="px-3 py-1.5 text-xs text-text-3">{s.origin}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
