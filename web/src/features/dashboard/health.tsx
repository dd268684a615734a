import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ShieldAlert, ShieldCheck, ShieldX } from "lucide-react";
import { useMemo } from "react";
import { api, unwrap } from "~/api/client";
import { useSnapshot } from "~/api/state";
import { bytes } from "~/lib/figures";
import { useNow } from "~/lib/now";
import { span } from "~/lib/time";
import { Badge } from "~/ui/status";
import { Card, Share } from "./card";

/** How full the contexts are, the fullest first. */
export function Context({ team, className }: { team: string; className?: string }) {
  const agents = useSnapshot((s) => s.agents);
  const fills = useMemo(
    () =>
      (agents ?? [])
        .filter((a) => (!team || a.team === team) && ["idle", "running", "awaiting", "stalled"].includes(a.status))
        .flatMap((a) => (a.usage?.contextUsed !== undefined && a.usage.contextSize ? [{ name: a.name, fill: Math.floor((a.usage.contextUsed * 100) / a.usage.contextSize) }] : []))
        .sort((a, b) => b.fill - a.fill)
        .slice(0, 8),
    [agents, team],
  );
  const full = fills.filter((f) => f.fill >= 80);
  return (
    <Card title="Context fill" className={className}>
      {fills.length === 0 && <p className="text-text-3">No program has reported how full its context is. It is told after a turn, where the program says it.</p>}
      <ul className="flex flex-col">
        {fills.map((f) => (
          <Share
            key={f.name}
            name={
              <Link to="/agents/$name" params={{ name: f.name }} className="hover:underline">
                <bdi>{f.name}</bdi>
              </Link>
            }
            part={f.fill}
            figure={`${f.fill} %`}
            warn={f.fill >= 80}
          />
        ))}
      </ul>
      {full.length > 0 && <p className="text-xs text-text-3">{full.map((f) => f.name).join(", ")}: a new session gives room, with a brief of the old one.</p>}
    </Card>
  );
}

/** What the daemon takes of its machine, and whether something is wrong with it. */
export function Health({ className }: { className?: string }) {
  const now = useNow();
  const kept = useSnapshot((x) => x.status);
  const fresh = useQuery({ queryKey: ["status", "takes"], queryFn: ({ signal }) => unwrap(api.GET("/api/status", { signal })), refetchInterval: 10_000 });
  const s = fresh.data ?? kept;
  if (!s) return null;
  const t = s.takes;
  const troubles = s.problems?.length ?? 0;
  const rows = [
    ["Memory", t.memoryBytes !== undefined && bytes(t.memoryBytes)],
    [`CPU, last ${span(t.cpuSeconds * 1000)}`, t.cpuSeconds > 0 && `${t.cpuPercent.toFixed(1)} %`],
    ["Durable write, p99", t.commitP99Ms !== undefined && `≤ ${t.commitP99Ms} ms`],
    ["Store", bytes(t.storeBytes)],
    ["Outbox, waiting", s.waiting.toLocaleString()],
    ["Inboxes, unread", t.unread.toLocaleString()],
    [
      "Gate",
      s.gate.open ? (
        <Badge className={s.gate.scan === "filtered" ? "bg-running-soft text-running-text" : "bg-awaiting-soft text-awaiting-text"}>
          {s.gate.scan === "filtered" ? <ShieldCheck size={12} aria-hidden /> : <ShieldAlert size={12} aria-hidden />} {s.gate.mode}
        </Badge>
      ) : (
        "closed"
      ),
    ],
    ["Audit chain", <Chain rows={t.recordRows} />],
    ["Version", s.version],
  ] as const;
  return (
    <Card
      className={className}
      title={
        <span className="inline-flex items-center gap-2">
          This daemon
          <Badge className={troubles ? "bg-failed-soft text-failed-text" : "bg-running-soft text-running-text"}>{troubles ? `${troubles} ${troubles === 1 ? "problem" : "problems"}` : "healthy"}</Badge>
        </span>
      }
      aside={<span className="text-xs font-medium text-text-3">up {span(now - Date.parse(s.started))}</span>}
    >
      <dl className="grid grid-cols-[1fr_auto] gap-x-3 gap-y-1.5">
        {rows.map(([name, value]) =>
          value === false ? null : (
            <div key={name} className="contents">
              <dt className="whitespace-nowrap text-text-2">{name}</dt>
              <dd className="text-right">{value}</dd>
            </div>
          ),
        )}
      </dl>
      {troubles > 0 && (
        <Link to="/settings" className="text-xs underline underline-offset-2">
          What is wrong
        </Link>
      )}
    </Card>
  );
}

// A longer chain takes the daemon seconds to check: the audit view does it for whoever asks.
const quicklyChecked = 20_000;

function Chain({ rows }: { rows: number }) {
  const chain = useQuery({ queryKey: ["chain"], queryFn: ({ signal }) => unwrap(api.GET("/api/audit/verify", { signal })), retry: false, enabled: rows <= quicklyChecked });
  if (chain.isError)
    return (
      <Badge className="bg-failed-soft text-failed-text">
        <ShieldX size={12} aria-hidden /> broken
      </Badge>
    );
  if (chain.data)
    return (
      <Badge className="bg-running-soft text-running-text">
        <ShieldCheck size={12} aria-hidden /> intact
      </Badge>
    );
  return (
    <Link to="/audit" className="underline underline-offset-2">
      {rows.toLocaleString()} rows
    </Link>
  );
}
