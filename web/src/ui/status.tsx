import clsx from "clsx";
import type { Agent } from "~/api/client";

export type AgentStatus = Agent["status"];

type Look = "running" | "idle" | "awaiting" | "stalled" | "failed" | "done";

const looks: Record<AgentStatus, Look> = {
  idle: "idle",
  running: "running",
  awaiting: "awaiting",
  stalled: "stalled",
  failed: "failed",
  crashed: "failed",
  completed: "done",
  killed: "done",
  removed: "done",
};

export function lookOf(status: string): Look {
  return looks[status as AgentStatus] ?? "idle";
}

const dots: Record<Look, string> = {
  running: "rounded-full bg-running animate-running",
  awaiting: "rotate-45 rounded-[2px] bg-awaiting scale-90",
  idle: "rounded-full border-[1.5px] border-idle",
  stalled: "rounded-full border-[2.5px] border-stalled",
  failed: "rounded-[1.5px] bg-failed",
  done: "rounded-full bg-done",
};

const badges: Record<Look, string> = {
  running: "bg-running-soft text-running-text",
  awaiting: "bg-awaiting-soft text-awaiting-text",
  idle: "bg-idle-soft text-idle-text",
  stalled: "bg-stalled-soft text-stalled-text",
  failed: "bg-failed-soft text-failed-text",
  done: "bg-done-soft text-done-text",
};

/** A state has a shape as well as a hue, so it reads in greyscale. */
export function StatusDot({ status, className }: { status: string; className?: string }) {
  return <span aria-hidden className={clsx("inline-block size-2 flex-none", dots[lookOf(status)], className)} />;
}

export function StatusBadge({ status }: { status: string }) {
  return (
    <Badge className={badges[lookOf(status)]}>
      <StatusDot status={status} />
      {status}
    </Badge>
  );
}

export function Badge({ children, className }: { children: React.ReactNode; className?: string }) {
  return <span className={clsx("inline-flex h-5 items-center gap-1.5 rounded-sm px-1.5 text-xs font-medium whitespace-nowrap", className)}>{children}</span>;
}

/** The look of a peer: filled with a job open, a ring without one. */
export function PeerDot({ open }: { open: boolean }) {
  return <span aria-hidden className={clsx("inline-block size-2 flex-none rounded-full", open ? "bg-remote" : "border-[1.5px] border-remote")} />;
}
