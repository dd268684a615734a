import { Link, Outlet, useNavigate, useRouterState } from "@tanstack/react-router";
import clsx from "clsx";
import { ChevronRight, FolderTree, Handshake, Inbox, Keyboard, LayoutDashboard, Link2, Plus, ScrollText, Search, Settings, Sun, Workflow } from "lucide-react";
import { useEffect, useMemo, type ReactNode } from "react";
import { useLink, useSnapshot } from "~/api/state";
import { useShortcuts, type Shortcut } from "~/lib/keys";
import { toggleTheme } from "~/lib/theme";
import { Button, Kbd } from "~/ui/button";
import { PeerDot } from "~/ui/status";
import { Toasts } from "~/ui/toast";
import { overlay } from "./actions";
import { Disconnected } from "./disconnected";
import { Shut } from "./shut";
import { StatusBar } from "./statusbar";

export const views = [
  { to: "/agents", name: "Agents", icon: Workflow, key: "a" },
  { to: "/jobs", name: "Jobs", icon: Handshake, key: "j" },
  { to: "/approvals", name: "Approvals", icon: Inbox, key: "i" },
  { to: "/projects", name: "Projects", icon: FolderTree, key: "p" },
  { to: "/dashboard", name: "Dashboard", icon: LayoutDashboard, key: "d" },
  { to: "/audit", name: "Audit", icon: ScrollText, key: "u" },
  { to: "/settings", name: "Settings", icon: Settings, key: "s" },
] as const;

/** The hall of the page: rail, breadcrumb, one card, status bar. */
export function Frame({ overlays }: { overlays: ReactNode }) {
  const link = useLink();
  const navigate = useNavigate();
  const shortcuts = useMemo<Shortcut[]>(
    () => [
      { keys: "?", name: "Keyboard shortcuts", run: () => overlay.set("keys") },
      { keys: "n", name: "Spawn an agent", run: () => overlay.set("spawn") },
      { keys: "p", name: "Pair a machine", run: () => overlay.set("pair") },
      { keys: "L", name: "Light or dark", run: toggleTheme },
      ...views.map((v) => ({ keys: "g " + v.key, name: "Go to " + v.name, run: () => void navigate({ to: v.to }) })),
    ],
    [navigate],
  );
  useShortcuts(shortcuts);
  useEffect(() => {
    const find = (e: KeyboardEvent) => {
      if (e.key !== "k" || !(e.metaKey || e.ctrlKey) || e.altKey) return;
      e.preventDefault();
      overlay.set(overlay.get() === "palette" ? "none" : "palette");
    };
    addEventListener("keydown", find);
    return () => removeEventListener("keydown", find);
  }, []);
  if (link.state === "shut") return <Shut why={link.why} />;
  return (
    <div className="grid h-full grid-cols-[204px_minmax(0,1fr)] grid-rows-[48px_auto_minmax(0,1fr)_28px] max-lg:grid-cols-[56px_minmax(0,1fr)] max-md:grid-cols-1 max-md:grid-rows-[48px_auto_minmax(0,1fr)_auto]">
      <a href="#main" className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-60 focus:rounded-md focus:bg-accent focus:px-3 focus:py-2 focus:text-on-accent">
        Skip to the view
      </a>
      <Rail />
      <TopBar />
      <div className="col-start-2 max-md:col-start-1">
        <Disconnected />
      </div>
      <main id="main" tabIndex={-1} className="col-start-2 mr-2 flex min-h-0 min-w-0 overflow-hidden rounded-lg border border-border bg-surface shadow-1 outline-none max-md:col-start-1 max-md:mr-0 max-md:rounded-none max-md:border-x-0">
        <Outlet />
      </main>
      <StatusBar />
      {overlays}
      <Toasts />
    </div>
  );
}

function Rail() {
  const name = useSnapshot((s) => s.status.name);
  const counts = useCounts();
  return (
    <nav aria-label="Main" className="row-span-3 row-start-1 flex min-h-0 flex-col gap-0.5 overflow-y-auto px-2 pt-2.5 pb-2 max-md:row-span-1 max-md:row-start-4 max-md:flex-row max-md:justify-around max-md:border-t max-md:border-border max-md:bg-surface max-md:p-1">
      <div className="mb-1.5 flex h-10 items-center gap-2.5 px-2 max-md:hidden">
        <Logo />
        <span className="min-w-0 flex-1 truncate text-md font-semibold tracking-tight max-lg:hidden">{name ?? "groove"}</span>
      </div>
      <button
        type="button"
        onClick={() => overlay.set("palette")}
        className="mb-2 flex h-8 items-center gap-2 rounded-md border border-border bg-surface px-2 text-text-3 hover:border-border-strong max-lg:justify-center max-md:hidden"
      >
        <Search size={14} />
        <span className="flex-1 text-left max-lg:sr-only">Find or do…</span>
        <span aria-hidden className="flex gap-0.5 max-lg:hidden">
          <Kbd>⌘</Kbd>
          <Kbd>K</Kbd>
        </span>
      </button>
      {views.map((v) => (
        <Link
          key={v.to}
          to={v.to}
          title={v.name}
          className="group flex h-8 items-center gap-2.5 rounded-md px-2.5 font-medium text-text-2 hover:bg-hover hover:text-text data-[status=active]:bg-active data-[status=active]:text-text max-lg:justify-center max-md:h-12 max-md:flex-col max-md:gap-0.5 max-md:px-1.5 max-md:text-[11px]"
        >
          <v.icon size={16} strokeWidth={1.75} className="flex-none group-data-[status=active]:text-accent-text" />
          <span className="flex-1 max-lg:hidden max-md:block max-md:leading-tight">{v.name}</span>
          <Count {...counts[v.to]} />
        </Link>
      ))}
      <Peers />
      <div className="mt-auto flex gap-0.5 pt-2 max-lg:flex-col max-md:hidden">
        <Button look="ghost" size="sm" icon aria-label="Light or dark" title="Light or dark (⇧L)" onClick={toggleTheme}>
          <Sun size={16} strokeWidth={1.75} />
        </Button>
        <Button look="ghost" size="sm" icon aria-label="Keyboard shortcuts" title="Keyboard shortcuts (?)" onClick={() => overlay.set("keys")}>
          <Keyboard size={16} strokeWidth={1.75} />
        </Button>
      </div>
    </nav>
  );
}

type CountOf = { n: number; hot?: boolean };

function useCounts(): Record<string, CountOf> {
  const agents = useSnapshot((s) => (s.agents ?? []).filter((a) => !isOver(a.status)).length) ?? 0;
  const jobs = useSnapshot((s) => (s.jobs ?? []).filter((j) => j.state !== "closed").length) ?? 0;
  const asked = useSnapshot((s) => (s.approvals ?? []).length) ?? 0;
  return { "/agents": { n: agents }, "/jobs": { n: jobs }, "/approvals": { n: asked, hot: asked > 0 } };
}

export function isOver(status: string): boolean {
  return ["completed", "crashed", "killed", "failed", "removed"].includes(status);
}

function Count({ n, hot }: Partial<CountOf>) {
  if (!n) return null;
  return <span className={clsx("text-xs max-lg:hidden", hot ? "rounded-full bg-awaiting-soft px-1.5 font-semibold text-awaiting-text" : "text-text-3")}>{n}</span>;
}

function Peers() {
  const peers = useSnapshot((s) => s.peers) ?? [];
  const jobs = useSnapshot((s) => s.jobs) ?? [];
  return (
    <section className="max-lg:hidden max-md:hidden" aria-label="Peers">
      <h2 className="flex items-center px-2.5 pt-3.5 pb-1 text-xs font-medium tracking-normal text-text-3">
        Peers
        <button type="button" aria-label="Pair a machine" title="Pair a machine (P)" className="ml-auto rounded-xs hover:text-text" onClick={() => overlay.set("pair")}>
          <Plus size={14} />
        </button>
      </h2>
      {peers.map((p) => {
        const leg = jobs.flatMap((j) => j.legs ?? []).find((l) => l.peer === p.id && l.state !== "closed");
        return (
          <Link key={p.id} to="/settings" hash={p.id} className="flex h-[30px] items-center gap-2 rounded-md px-2.5 hover:bg-hover">
            <PeerDot open={p.connected} />
            <span className="min-w-0 flex-1 truncate">
              <bdi>{p.name}</bdi>
            </span>
            <span className="text-xs whitespace-nowrap text-text-3">{leg ? (leg.rttMs ? `${Math.max(1, Math.round(leg.rttMs))} ms` : leg.state) : "no job"}</span>
          </Link>
        );
      })}
    </section>
  );
}

const settingsNames: Record<string, string> = { federation: "Federation", programs: "Programs", general: "All settings" };

function TopBar() {
  const path = useRouterState({ select: (s) => s.location.pathname });
  const view = views.find((v) => path.startsWith(v.to));
  const rest = view ? decodeURIComponent(path.slice(view.to.length + 1)) : "";
  return (
    <header className="col-start-2 flex min-w-0 items-center gap-2 pr-3 pl-1 max-md:col-start-1 max-md:pl-3">
      <nav aria-label="Breadcrumb" className="flex min-w-0 flex-1 items-center gap-1.5 whitespace-nowrap text-text-3">
        {view && (
          <Link to={view.to} className={clsx("truncate", !rest && "font-semibold text-text")}>
            {view.name}
          </Link>
        )}
        {rest && (
          <>
            <ChevronRight size={12} aria-hidden />
            <b className="truncate font-semibold text-text">{view?.to === "/settings" ? (settingsNames[rest] ?? rest) : rest}</b>
          </>
        )}
      </nav>
      <Button look="ghost" size="sm" icon className="md:hidden" aria-label="Find or do" onClick={() => overlay.set("palette")}>
        <Search size={16} />
      </Button>
      <Button look="ghost" size="sm" onClick={() => overlay.set("pair")} className="max-md:hidden">
        <Link2 size={14} /> Pair a machine
      </Button>
      <Button look="primary" size="sm" onClick={() => overlay.set("spawn")}>
        <Plus size={14} /> Spawn agent <Kbd>N</Kbd>
      </Button>
    </header>
  );
}

export function Logo() {
  return (
    <svg viewBox="0 0 24 24" fill="none" strokeLinecap="round" strokeWidth="2" aria-hidden className="size-[26px] flex-none">
      <path d="M12 11.5a2 2 0 0 1 0 4 4 4 0 0 1 0-8 6 6 0 0 1 0 12" stroke="currentColor" />
      <path d="M12 19.5a8 8 0 0 1 0-16 10 10 0 0 1 9.6 7.2" stroke="var(--accent)" />
    </svg>
  );
}

