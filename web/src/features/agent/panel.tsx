import { useNavigate, useSearch } from "@tanstack/react-router";
import { Ellipsis, Maximize2, Minimize2, Network, OctagonPause, X } from "lucide-react";
import { useMemo, useState, type ReactNode } from "react";
import { api, unwrap, type Agent, type Mail } from "~/api/client";
import { useAway, useSnapshot } from "~/api/state";
import { useShortcuts } from "~/lib/keys";
import { useNow } from "~/lib/now";
import { span } from "~/lib/time";
import { Button } from "~/ui/button";
import { Confirm, type Question } from "~/ui/confirm";
import { Menu, Meter, Tabs, type MenuItem, type Tab } from "~/ui/controls";
import { RoleIcon } from "~/ui/role";
import { StatusBadge } from "~/ui/status";
import { say, sayFailed } from "~/ui/toast";
import { Config } from "./config";
import { Federation } from "./federation";
import { fillOf, linksOf, programName, roleName } from "./facts";
import { hasEnded } from "~/lib/agent";
import { Files, useChanges } from "./files";
import { Monitor } from "./monitor";
import { Review } from "./review";
import { useWorktree } from "./worktree";

const tabs = new Map<string, string>();

type Props = {
  agent: Agent;
  close: () => void;
  chat: (onReview: () => void, onInterrupt: () => void) => ReactNode;
  message: (m: Mail) => ReactNode;
};

/** One agent of this daemon: what it says, how it is set, what it costs, what it changed, and whom it speaks to. */
export function AgentPanel({ agent, close, chat, message }: Props) {
  const { wide } = useSearch({ strict: false }) as { wide?: boolean };
  const navigate = useNavigate();
  const jobs = useSnapshot((s) => s.jobs);
  const links = useMemo(() => linksOf(agent.name, jobs ?? []), [agent.name, jobs]);
  const [tab, set] = useState(() => tabs.get(agent.name) ?? "chat");
  const [question, ask] = useState<Question>();
  const [reviewing, review] = useState(false);
  const worktree = useWorktree(agent);
  const changes = useChanges(agent);
  const over = hasEnded(agent.status);
  const away = useAway();

  const show = (now: string) => {
    tabs.set(agent.name, now);
    set(now);
  };
  const write = () => {
    show("chat");
    requestAnimationFrame(() => document.querySelector<HTMLElement>("[data-composer]")?.focus());
  };
  const widen = () => void navigate({ to: "/agents/$name", params: { name: agent.name }, search: wide ? {} : { wide: true }, replace: true });
  const act = async (what: string, done: string, call: () => Promise<unknown>) => {
    try {
      await call();
      say(done);
    } catch (cause) {
      sayFailed(what, cause);
    }
  };
  const path = { params: { path: { name: agent.name } } };
  const busy = agent.status === "running" || agent.status === "stalled" || agent.status === "awaiting";
  const interrupt = () => {
    if (busy) void act("Not interrupted", `The turn of ${agent.name} has ended`, () => unwrap(api.POST("/api/agents/{name}/interrupt", { ...path, body: {} })));
  };

  const keys = { write, widen, interrupt, back: () => (wide ? widen() : close()) };
  useShortcuts([
    { keys: "m", name: "Write", run: keys.write },
    { keys: "o", name: "Wide", run: keys.widen },
    { keys: ".", name: "Interrupt", run: keys.interrupt },
    { keys: "Escape", name: "Up", run: keys.back },
  ]);

  const items: MenuItem[] = [];
  if (!over) items.push({ label: "Write to it", keys: "M", onSelect: write });
  items.push({ label: wide ? "Beside the tree" : "Open wide", keys: "O", onSelect: widen }, { label: "Files changed", onSelect: () => show("files") });
  if ((agent.tainted ?? []).length > 0) items.push({ label: "Review text of peers", onSelect: () => review(true) });
  if (!over) {
    items.push("line");
    if (!agent.attached) items.push({ label: "Interrupt the turn", keys: ".", disabled: away ?? (busy ? false : "No turn is running"), onSelect: interrupt });
    if (!agent.attached)
      items.push({
        label: "Begin a new session",
        disabled: away,
        onSelect: () => void act("No new session", `${agent.name} begins a new session with a brief of the old one`, () => unwrap(api.POST("/api/agents/{name}/rotate", path))),
      });
    items.push({
      label: "Say that its work is done",
      disabled: away,
      onSelect: () => void act("Not ended", `${agent.name} ends when its turn is over`, () => unwrap(api.POST("/api/agents/{name}/done", { ...path, body: {} }))),
    });
    items.push("line", {
      label: "Kill its program",
      danger: true,
      onSelect: () =>
        ask({
          title: `Kill ${agent.name}?`,
          yes: `Kill ${agent.name}`,
          text: `Its program and all that it started end at once${busy ? `, in the middle of turn ${agent.turns}` : ""}. What it wrote to files stays.${agent.unread > 0 ? ` ${agent.unread} messages to it are not read yet.` : ""}`,
          act: () => unwrap(api.POST("/api/agents/{name}/kill", path)),
        }),
    });
  }
  if (over && worktree?.exists)
    items.push("line", {
      label: "Remove its worktree",
      danger: true,
      onSelect: () =>
        ask({
          title: `Remove the worktree of ${agent.name}?`,
          yes: worktree.changed > 0 ? `Remove it and ${worktree.changed} changed files` : "Remove the worktree",
          text: `${worktree.path} goes. ${worktree.changed > 0 ? `${worktree.changed} files in it are not committed: they are lost. ` : ""}${worktree.commits > 0 ? `Its branch ${worktree.branch} stays: ${worktree.commits} commits are on no other.` : "Its branch has nothing of its own and goes too."}`,
          act: () => unwrap(api.DELETE("/api/worktrees/{name}", { params: { path: { name: agent.name }, query: { force: worktree.changed > 0 } } })),
        }),
    });

  const files = changes.data?.files?.length ?? 0;
  const all: Tab[] = [
    { value: "chat", label: "Chat", content: chat(() => review(true), interrupt) },
    { value: "config", label: "Config", content: <Config agent={agent} worktree={worktree} onReview={() => review(true)} /> },
    { value: "monitor", label: "Monitor", content: <Monitor agent={agent} /> },
    { value: "files", label: <>Files {files > 0 && <span className="text-text-3">{files}</span>}</>, content: <Files agent={agent} /> },
  ];
  if (links.length > 0)
    all.push({
      value: "federation",
      remote: true,
      label: (
        <>
          <Network size={14} aria-hidden className="text-remote-text" /> Federation
        </>
      ),
      content: <Federation agent={agent} links={links} message={message} />,
    });
  const now = all.some((t) => t.value === tab) ? tab : "chat";
  return (
    <section aria-label={agent.name} className="flex min-h-0 min-w-0 flex-1 flex-col">
      <header className="flex flex-none items-start gap-3 px-4 pt-3.5 pb-2">
        <RoleIcon role={agent.role} size={20} />
        <div className="min-w-0 flex-1">
          <h1 className="flex min-w-0 items-center gap-2 text-lg">
            <bdi className="truncate">{agent.name}</bdi> <StatusBadge status={agent.status} />
          </h1>
          <Line agent={agent} wide={!!wide} />
        </div>
        {wide && (
          <div className="flex items-center gap-3 self-center max-md:hidden">
            {fillOf(agent) !== undefined && (
              <div className="w-36">
                <Meter percent={fillOf(agent)!} label="Context fill" warn={fillOf(agent)! >= 80} />
              </div>
            )}
            {!over && !agent.attached && busy && (
              <Button acts size="sm" look="danger" onClick={interrupt}>
                <OctagonPause size={14} /> Interrupt
              </Button>
            )}
          </div>
        )}
        <div className="flex">
          <Button look="ghost" size="sm" icon className="max-md:hidden" aria-label={wide ? "Close wide view" : "Open wide"} title={wide ? "Close wide view (O)" : "Open wide (O)"} onClick={widen}>
            {wide ? <Minimize2 size={16} /> : <Maximize2 size={16} />}
          </Button>
          <Menu
            label={`Actions for ${agent.name}`}
            trigger={
              <Button look="ghost" size="sm" icon aria-label="Actions">
                <Ellipsis size={16} />
              </Button>
            }
            items={items}
          />
          <Button look="ghost" size="sm" icon aria-label="Close the panel" onClick={close}>
            <X size={16} />
          </Button>
        </div>
      </header>
      <Tabs value={now} onChange={show} tabs={all} />
      <Confirm question={question} onClose={() => ask(undefined)} />
      {reviewing && <Review agent={agent} message={message} onClose={() => review(false)} />}
    </section>
  );
}

/** "Ambassador · Claude Code · turn 14 · 38 s", in the wide view also where it works. */
function Line({ agent, wide }: { agent: Agent; wide: boolean }) {
  const now = useNow();
  const parts = [agent.role ? roleName(agent.role) : agent.title, programName(agent.program)];
  if (agent.turns > 0) parts.push(`turn ${agent.turns}`);
  if (!hasEnded(agent.status)) parts.push(span(now - Date.parse(agent.since)));
  if (wide) parts.push(agent.worktree ? `worktree ${agent.worktree.branch}` : agent.dir);
  return (
    <p className="truncate text-xs text-text-3">
      <bdi>{parts.filter(Boolean).join(" · ")}</bdi>
    </p>
  );
}
