import { Link } from "@tanstack/react-router";
import clsx from "clsx";
import { Network } from "lucide-react";
import { memo, useRef } from "react";
import { useAgent, useSnapshot } from "~/api/state";
import { useNow } from "~/lib/now";
import { useSight } from "~/lib/rows";
import { ago } from "~/lib/time";
import { StatusBadge } from "~/ui/status";
import { activityOf, fillOf } from "./cards";

const height = 36;
const cell = "truncate px-3 text-left align-middle whitespace-nowrap";
const columns: [string, string][] = [
  ["Agent", "w-[22%]"],
  ["Status", "w-28"],
  ["Now", ""],
  ["Program", "w-28"],
  ["Team", "w-28"],
  ["Context", "w-20"],
  ["Unread", "w-20"],
  ["Since", "w-28"],
];

type Props = { agents: string[]; remotes: { peer: string; agent: string }[]; selected?: string };

/** All agents in rows; of hundreds, those in sight are drawn. */
export function AgentList({ agents, remotes, selected }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const count = agents.length + remotes.length;
  const { from, to } = useSight(box, height, count);
  const rows = [];
  for (let i = from; i < to; i++) {
    const remote = remotes[i - agents.length];
    const name = agents[i];
    if (name !== undefined) rows.push(<LocalRow key={name} name={name} at={i + 2} selected={name === selected} />);
    else if (remote) rows.push(<RemoteRow key={remote.peer + "/" + remote.agent} peer={remote.peer} name={remote.agent} at={i + 2} />);
  }
  return (
    <div ref={box} className="min-h-0 flex-1 overflow-auto">
      <table aria-rowcount={count + 1} className="w-full min-w-[860px] table-fixed border-collapse">
        <thead className="sticky top-0 z-10 bg-surface text-xs text-text-3 shadow-[0_1px_0_var(--border)]">
          <tr aria-rowindex={1} style={{ height }}>
            {columns.map(([h, width]) => (
              <th key={h} scope="col" className={clsx(cell, width, "font-medium")}>
                {h}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <Gap rows={from} />
          {rows}
          <Gap rows={count - to} />
        </tbody>
      </table>
    </div>
  );
}

/** The place of rows that are not drawn. */
function Gap({ rows }: { rows: number }) {
  return rows > 0 ? <tr aria-hidden style={{ height: rows * height }} /> : null;
}

function Ago({ since }: { since: string }) {
  return ago(since, useNow());
}

const LocalRow = memo(function LocalRow({ name, at, selected }: { name: string; at: number; selected: boolean }) {
  const a = useAgent(name);
  if (!a) return <Gap rows={1} />;
  const fill = fillOf(a);
  return (
    <tr aria-rowindex={at} style={{ height }} className={clsx("border-b border-border hover:bg-hover", selected && "bg-accent-soft")}>
      <td className={cell}>
        <Link to="/agents/$name" params={{ name: a.name }} className="font-semibold">
          <bdi>{a.name}</bdi>
        </Link>
      </td>
      <td className={cell}>
        <StatusBadge status={a.status} />
      </td>
      <td className={cell}>
        <bdi>{activityOf(a)}</bdi>
      </td>
      <td className={cell}>{a.program}</td>
      <td className={cell}>{a.team ?? "–"}</td>
      <td className={cell}>{fill === undefined ? "–" : `${fill} %`}</td>
      <td className={cell}>{a.unread || "–"}</td>
      <td className={cell}>
        <Ago since={a.since} />
      </td>
    </tr>
  );
});

const RemoteRow = memo(function RemoteRow({ peer, name, at }: { peer: string; name: string; at: number }) {
  const a = useSnapshot((s) => s.remoteAgents?.find((r) => r.peer === peer && r.agent === name));
  if (!a) return <Gap rows={1} />;
  return (
    <tr aria-rowindex={at} style={{ height }} className="border-b border-border bg-remote-wash hover:bg-remote-soft">
      <td className={cell}>
        <Link to="/agents/$name" params={{ name: a.agent }} search={{ peer: a.peer }} className="inline-flex items-center gap-1.5 font-semibold text-remote-text">
          <Network size={12} aria-hidden />
          <span>
            <bdi>{a.agent}</bdi> on <bdi>{a.peerName}</bdi>
          </span>
        </Link>
      </td>
      <td className={cell}>
        <StatusBadge status={a.status} />
      </td>
      <td className={cell}>
        <bdi>{a.activity || a.summary || a.title || "–"}</bdi>
      </td>
      <td className={cell}>
        <bdi>{a.program || "–"}</bdi>
      </td>
      <td className={cell}>–</td>
      <td className={cell}>–</td>
      <td className={cell}>–</td>
      <td className={cell}>
        <Ago since={a.since} />
      </td>
    </tr>
  );
});
