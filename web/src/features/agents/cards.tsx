import clsx from "clsx";
import { Hand, Network, Radio } from "lucide-react";
import { createContext, memo, useContext } from "react";
import type { Agent, RemoteAgent } from "~/api/client";
import { Meter } from "~/ui/basic";
import { RoleIcon } from "~/ui/role";
import { StatusDot } from "~/ui/status";

export function fillOf(a: Agent): number | undefined {
  const used = a.usage?.contextUsed;
  const size = a.usage?.contextSize;
  return used && size ? Math.floor((used * 100) / size) : undefined;
}

/** What the agent does now, in a line. */
export function activityOf(a: Agent): string {
  if (a.progress) return a.progress;
  if (a.status === "awaiting") return "Waits for your answer";
  if (a.reason) return a.reason;
  if (a.summary) return a.summary;
  return a.title || a.role || (a.status === "idle" ? "Waits for work" : a.status);
}

/** Whether cards are seen from so far that no one reads their small print. */
export const Far = createContext(false);

/** Who it is and how it stands: what is left of a card from afar. */
function FarCard({ name, status, unread, className }: { name: string; status: string; unread?: number; className: string }) {
  return (
    <div className={clsx("flex h-24 w-[202px] flex-col justify-center gap-2 rounded-lg border-2 px-3", className)}>
      <bdi className="truncate text-xl font-semibold">{name}</bdi>
      <span className="flex items-center gap-2">
        <StatusDot status={status} className="!size-5 after:hidden" />
        {unread ? <span className="h-5 w-9 rounded-full bg-accent" /> : null}
      </span>
    </div>
  );
}

export const LocalCard = memo(function LocalCard({ agent, selected }: { agent: Agent; selected: boolean }) {
  const fill = fillOf(agent);
  const asks = agent.status === "awaiting";
  if (useContext(Far)) return <FarCard name={agent.name} status={agent.status} unread={agent.unread} className={clsx("bg-surface", selected ? "border-accent" : asks ? "border-awaiting-line" : "border-border-strong")} />;
  return (
    <div
      className={clsx(
        "relative flex h-24 w-[202px] flex-col gap-1.5 rounded-lg border bg-surface px-3 py-2.5 text-left shadow-1 transition-colors hover:border-border-strong",
        selected ? "border-accent ring-2 ring-accent/25" : asks ? "border-awaiting-line" : "border-border",
      )}
    >
      {agent.unread > 0 && (
        <span className="absolute -top-2 right-3 min-w-5 rounded-full bg-accent px-1.5 text-center text-xs font-semibold text-on-accent" title={`${agent.unread} not read`}>
          {agent.unread}
        </span>
      )}
      <div className="flex items-center gap-2">
        <RoleIcon role={agent.role} />
        <span className="min-w-0 flex-1">
          <bdi className="block truncate leading-4 font-semibold">{agent.name}</bdi>
          <span className="block truncate text-xs leading-4 text-text-3">{agent.program}</span>
        </span>
        <StatusDot status={agent.status} />
      </div>
      <div className={clsx("flex items-center gap-1 truncate text-xs", asks ? "text-awaiting-text" : "text-text-2")}>
        {asks && <Hand size={12} aria-hidden className="flex-none" />}
        <bdi className="truncate">{activityOf(agent)}</bdi>
      </div>
      {fill === undefined ? (
        <span className="truncate font-mono text-[11px] text-text-3">{(agent.scope ?? []).join(" ") || "no scope"}</span>
      ) : (
        <Meter percent={fill} label="Context fill" warn={fill >= 80} />
      )}
    </div>
  );
});

/** A peer's agent: read-only by its type. */
export const RemoteCard = memo(function RemoteCard({ agent, selected }: { agent: RemoteAgent; selected: boolean }) {
  if (useContext(Far)) return <FarCard name={agent.agent} status={agent.status} className={clsx("border-dashed bg-remote-wash", selected ? "border-remote" : "border-remote-line")} />;
  return (
    <div
      className={clsx(
        "relative flex h-24 w-[202px] flex-col gap-1.5 rounded-lg border border-dashed bg-remote-wash px-3 py-2.5 text-left transition-colors",
        selected ? "border-remote ring-2 ring-remote/30" : "border-remote-line hover:border-remote",
      )}
    >
      <span aria-hidden className="absolute -top-2 -right-1 grid size-5 place-items-center rounded-full bg-remote text-on-remote">
        <Network size={11} />
      </span>
      <div className="flex items-center gap-2">
        <RoleIcon role={agent.role} remote />
        <span className="min-w-0 flex-1">
          <bdi className="block truncate leading-4 font-semibold text-text-2">{agent.agent}</bdi>
          <bdi className="block truncate text-xs leading-4 text-text-3">{agent.role || agent.program}</bdi>
        </span>
        <StatusDot status={agent.status} />
      </div>
      <bdi className="truncate text-xs text-text-2">{agent.activity || agent.summary || agent.title || agent.status}</bdi>
      <bdi className="truncate font-mono text-[11px] text-text-3">{(agent.scope ?? []).join(" ") || "no scope shown"}</bdi>
    </div>
  );
});

export function JobPill({ title, state, detail }: { title: string; state: string; detail: string }) {
  return (
    <div className="flex h-[30px] w-[270px] items-center gap-2 rounded-full border border-remote-line bg-surface px-3 text-xs shadow-1">
      <Radio size={14} aria-hidden className="flex-none text-remote-text" />
      <bdi className="min-w-0 flex-1 truncate font-semibold text-remote-text">{title}</bdi>
      <span className="whitespace-nowrap">{state}</span>
      <span className="whitespace-nowrap text-text-3">{detail}</span>
    </div>
  );
}
