import { Link } from "@tanstack/react-router";
import clsx from "clsx";
import { Network } from "lucide-react";
import type { Agent, RemoteAgent } from "~/api/client";
import { useNow } from "~/lib/now";
import { ago } from "~/lib/time";
import { visible } from "~/lib/visible";
import { StatusBadge } from "~/ui/status";
import { activityOf, fillOf } from "./cards";

const cell = "px-3 py-1.5 text-left align-middle whitespace-nowrap";

export function AgentList({ agents, remotes, selected }: { agents: Agent[]; remotes: RemoteAgent[]; selected?: string }) {
  const now = useNow();
  return (
    <div className="min-h-0 flex-1 overflow-auto">
      <table className="w-full border-collapse">
        <thead className="sticky top-0 bg-surface text-xs text-text-3 shadow-[0_1px_0_var(--border)]">
          <tr>
            {["Agent", "Status", "Now", "Program", "Team", "Context", "Unread", "Since"].map((h) => (
              <th key={h} scope="col" className={clsx(cell, "font-medium")}>
                {h}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {agents.map((a) => (
            <tr key={a.name} className={clsx("border-b border-border hover:bg-hover", a.name === selected && "bg-accent-soft")}>
              <td className={cell}>
                <Link to="/agents/$name" params={{ name: a.name }} className="font-semibold">
                  <bdi>{a.name}</bdi>
                </Link>
              </td>
              <td className={cell}>
                <StatusBadge status={a.status} />
              </td>
              <td className={clsx(cell, "max-w-80 truncate")}>
                <bdi>{visible(activityOf(a))}</bdi>
              </td>
              <td className={cell}>{a.program}</td>
              <td className={clsx(cell, "max-w-48 truncate")}>
                <bdi>{visible(a.team ?? "–")}</bdi>
              </td>
              <td className={cell}>{fillOf(a) === undefined ? "–" : `${fillOf(a)} %`}</td>
              <td className={cell}>{a.unread || "–"}</td>
              <td className={cell}>{ago(a.since, now)}</td>
            </tr>
          ))}
          {remotes.map((a) => (
            <tr key={a.peer + a.agent} className="border-b border-border bg-remote-wash hover:bg-remote-soft">
              <td className={cell}>
                <Link to="/agents/$name" params={{ name: a.agent }} search={{ peer: a.peer }} className="inline-flex items-center gap-1.5 font-semibold text-remote-text">
                  <Network size={12} aria-hidden />
                  <span>
                    <bdi>{a.agent}</bdi> on <bdi>{visible(a.peerName)}</bdi>
                  </span>
                </Link>
              </td>
              <td className={cell}>
                <StatusBadge status={a.status} />
              </td>
              <td className={clsx(cell, "max-w-80 truncate")}>
                <bdi>{visible(a.activity || a.summary || a.title || "–")}</bdi>
              </td>
              <td className={cell}>
                <bdi>{a.program || "–"}</bdi>
              </td>
              <td className={cell}>–</td>
              <td className={cell}>–</td>
              <td className={cell}>–</td>
              <td className={cell}>{ago(a.since, now)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
