import { Link2, Network } from "lucide-react";
import type { ReactNode } from "react";
import { type Peer, type Status } from "~/api/client";
import { Button } from "~/ui/button";
import { Empty, Note } from "~/ui/note";
import { Badge } from "~/ui/status";
import { Bridge } from "./bridge";
import { GateMode } from "./gate";
import { PeerCard } from "./peer";

/** This daemon towards others: who is paired, what jobs begin with, and how strangers are kept out. */
export function Federation({ status, peers, onPair, demo }: { status: Status; peers: Peer[]; onPair: () => void; demo: ReactNode }) {
  return (
    <>
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
      <Bridge />
      <GateMode gate={status.gate} />
      <section aria-labelledby="demo">
        <h2 id="demo" className="text-lg">
          Demo
        </h2>
        {demo}
      </section>
    </>
  );
}

function Daemon({ status }: { status: Status }) {
  const gate = status.gate;
  return (
    <section className="flex flex-col gap-3" aria-labelledby="daemon">
      <h1 id="daemon" className="text-xl">
        Federation
      </h1>
      <p className="text-text-2">Machines that may open a job with this one. Nobody else reaches the bridge port.</p>
      <dl className="grid grid-cols-[160px_1fr] gap-y-2 max-md:grid-cols-1 max-md:gap-y-0.5">
        <dt className="text-text-3">This daemon</dt>
        <dd>
          <bdi>{status.name}</bdi>
        </dd>
        <dt className="text-text-3">Daemon ID</dt>
        <dd className="font-mono text-xs break-all">{status.id}</dd>
        <dt className="text-text-3">Key pair</dt>
        <dd>
          <Badge className="bg-running-soft text-running-text">Ready</Badge> <span className="text-text-2">Ed25519</span>
        </dd>
        <dt className="text-text-3">Home</dt>
        <dd className="font-mono text-xs break-all">{status.home}</dd>
        <dt className="text-text-3">Bridge port</dt>
        <dd>{gate.open ? (gate.listen ?? []).join(", ") : "closed: nobody is paired"}</dd>
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
