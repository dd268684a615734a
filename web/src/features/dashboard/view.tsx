import { Link } from "@tanstack/react-router";
import { ArrowRight, Network } from "lucide-react";
import { useMemo, type ReactNode } from "react";
import type { Mail } from "~/api/client";
import { useSnapshot } from "~/api/state";
import { useNow } from "~/lib/now";
import { clock, span } from "~/lib/time";
import { Meter } from "~/ui/controls";
import { Skeleton } from "~/ui/note";
import { Badge } from "~/ui/status";

/** How it all stands, at a glance. */
export function DashboardView({ usage }: { usage?: ReactNode }) {
  const ready = useSnapshot(() => true);
  if (!ready) return <Skeleton rows={6} />;
  return (
    <div className="min-h-0 flex-1 overflow-y-auto p-5" tabIndex={0}>
      <h1 className="sr-only">Dashboard</h1>
      <div className="grid grid-cols-4 gap-3 max-lg:grid-cols-2 max-md:grid-cols-1">
        <Agents />
        <Waiting />
        <Federation />
        {usage}
        <Activity />
        <Context />
        <Health />
      </div>
    </div>
  );
}

function Card({ title, children, className = "", aside }: { title: ReactNode; children: ReactNode; className?: string; aside?: ReactNode }) {
  return (
    <section className={`flex flex-col gap-2 rounded-lg border border-border p-4 ${className}`}>
      <header className="flex items-center gap-2">
        <h2 className="flex-1">{title}</h2>
        {aside}
      </header>
      {children}
    </section>
  );
}

const Figure = ({ children, of }: { children: ReactNode; of?: ReactNode }) => (
  <p className="text-2xl font-semibold tracking-tight">
    {children} {of && <span className="text-md font-normal tracking-normal text-text-3">{of}</span>}
  </p>
);

function Agents() {
  const agents = useSnapshot((s) => s.agents) ?? [];
  const awaiting = agents.filter((a) => a.status === "awaiting").length;
  const alive = agents.filter((a) => ["idle", "running", "awaiting", "stalled"].includes(a.status)).length;
  return (
    <Card title="Agents running">
      <Figure of={`of ${alive}`}>{agents.filter((a) => a.status === "running").length}</Figure>
      {awaiting > 0 ? (
        <Link to="/approvals" className="text-awaiting-text hover:underline">
          {awaiting} {awaiting === 1 ? "awaits" : "await"} an answer
        </Link>
      ) : (
        <span className="text-text-3">nobody waits for you</span>
      )}
    </Card>
  );
}

function Waiting() {
  const status = useSnapshot((s) => s.status);
  return (
    <Card title="In the outbox">
      <Figure>{status?.waiting ?? 0}</Figure>
      <span className="text-text-3">{status?.waiting ? "sent as soon as the peer takes them" : "all has arrived"}</span>
    </Card>
  );
}

function Federation() {
  const now = useNow();
  const peers = useSnapshot((s) => s.peers) ?? [];
  const remote = useSnapshot((s) => s.remoteAgents) ?? [];
  const jobs = useSnapshot((s) => (s.jobs ?? []).filter((j) => j.state !== "closed")) ?? [];
  const crossed = useSnapshot((s) => (s.messages ?? []).filter((m) => m.direction !== "local").length) ?? 0;
  const open = jobs.filter((j) => j.state === "open");
  const oldest = open.reduce((t, j) => Math.min(t, Date.parse(j.created)), Infinity);
  return (
    <Card
      className="col-span-2 border-remote-line bg-remote-wash max-md:col-span-1"
      title={
        <span className="inline-flex items-center gap-2 text-remote-text">
          <Network size={16} aria-hidden /> Federation
        </span>
      }
    >
      <dl className="grid grid-cols-5 gap-3 max-lg:grid-cols-3">
        {[
          [peers.filter((p) => p.connected).length, "peers connected"],
          [remote.length, "remote agents"],
          [crossed, "messages lately"],
          [Number.isFinite(oldest) ? span(now - oldest) : "–", "longest open job"],
          [open.length, "active jobs"],
        ].map(([n, what]) => (
          <div key={what} className="flex flex-col">
            <dd className="text-xl font-semibold whitespace-nowrap">{n}</dd>
            <dt className="order-last text-xs text-text-2">{what}</dt>
          </div>
        ))}
      </dl>
    </Card>
  );
}

function Activity() {
  const mail = useSnapshot((s) => s.messages) ?? [];
  const last = mail.slice(-12).reverse();
  return (
    <Card title="Activity" className="col-span-2 max-md:col-span-1" aside={<Link to="/audit" className="text-xs underline underline-offset-2">Audit</Link>}>
      {last.length === 0 && <p className="text-text-3">Messages between agents, and with you, show here.</p>}
      <ul className="flex flex-col gap-1.5">
        {last.map((m) => (
          <Line key={m.direction + m.id} mail={m} />
        ))}
      </ul>
    </Card>
  );
}

function Line({ mail: m }: { mail: Mail }) {
  const name = (agent: string, there: boolean) => (agent === "user" && !there ? <b>You</b> : <bdi className={there ? "font-semibold text-remote-text" : "font-semibold"}>{agent}</bdi>);
  return (
    <li className="flex items-baseline gap-2">
      <time dateTime={m.at} className="text-xs text-text-3">
        {clock(m.at)}
      </time>
      <ArrowRight size={12} aria-hidden className="self-center text-text-3" />
      <span className="min-w-0 truncate">
        {name(m.from, m.direction === "in")} wrote to {m.to === "user" && m.direction === "in" ? <b>you</b> : name(m.to, m.direction === "out")}
      </span>
      <span className="ml-auto text-xs text-text-3">{m.state}</span>
    </li>
  );
}

function Context() {
  const agents = useSnapshot((s) => s.agents);
  const fills = useMemo(
    () =>
      (agents ?? [])
        .flatMap((a) => (a.usage?.contextUsed && a.usage.contextSize ? [{ name: a.name, fill: Math.floor((a.usage.contextUsed * 100) / a.usage.contextSize) }] : []))
        .sort((a, b) => b.fill - a.fill)
        .slice(0, 8),
    [agents],
  );
  return (
    <Card title="Context fill">
      {fills.length === 0 && <p className="text-text-3">No program has reported how full its context is.</p>}
      {fills.map((f) => (
        <div key={f.name} className="grid grid-cols-[110px_1fr] items-center gap-2">
          <bdi className="truncate">{f.name}</bdi>
          <Meter percent={f.fill} label={`Context fill of ${f.name}`} warn={f.fill >= 80} />
        </div>
      ))}
    </Card>
  );
}

function Health() {
  const now = useNow();
  const s = useSnapshot((x) => x.status);
  if (!s) return null;
  const troubles = s.problems?.length ?? 0;
  return (
    <Card title="This daemon" aside={<Badge className={troubles ? "bg-failed-soft text-failed-text" : "bg-running-soft text-running-text"}>{troubles ? `${troubles} problems` : "healthy"}</Badge>}>
      <dl className="grid grid-cols-[1fr_auto] gap-y-1.5">
        <dt className="text-text-3">Up</dt>
        <dd>{span(now - Date.parse(s.started))}</dd>
        <dt className="text-text-3">Gate</dt>
        <dd>{s.gate.open ? `${s.gate.mode}, a scan sees it ${s.gate.scan}` : "closed"}</dd>
        <dt className="text-text-3">Questions</dt>
        <dd>{s.approvals}</dd>
        <dt className="text-text-3">Process</dt>
        <dd>{s.pid}</dd>
      </dl>
    </Card>
  );
}
