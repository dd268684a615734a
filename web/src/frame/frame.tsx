import { Link, Outlet, useNavigate, useRouterState } from "@tanstack/react-router";
import clsx from "clsx";
import { ChevronRight, Link2, Plus, Search } from "lucide-react";
import { useEffect, useMemo, type ReactNode } from "react";
import { useLink, useSnapshot } from "~/api/state";
import { useShortcuts, type Shortcut } from "~/lib/keys";
import { fetchAgain } from "~/lib/later";
import { own } from "~/lib/own";
import { toggleTheme } from "~/lib/theme";
import { Button, Kbd } from "~/ui/button";
import "~/ui/focus"; // from the first focus on
import { Toasts } from "~/ui/toast";
import { overlay } from "./actions";
import { Disconnected } from "./disconnected";
import { Rail } from "./rail";
import { Shut } from "./shut";
import { StatusBar } from "./statusbar";
import { useTitle } from "./title";
import { Updated } from "./updated";
import { views } from "./views";

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
  const here = link.state === "open";
  useEffect(() => {
    if (here) fetchAgain();
  }, [here]);
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
        <Updated />
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

const settingsNames: Record<string, string> = { federation: "Federation", programs: "Programs", general: "All settings" };

function TopBar() {
  const path = useRouterState({ select: (s) => s.location.pathname });
  const view = views.find((v) => path.startsWith(v.to));
  useTitle(view?.name ?? "");
  const last = view ? decodeURIComponent(path.slice(view.to.length + 1)) : "";
  const job = useSnapshot((s) => (view?.to === "/jobs" ? (s.jobs ?? []).find((j) => j.jobId === last)?.title : undefined));
  const rest = job ?? last;
  return (
    <header className="col-start-2 flex min-w-0 items-center gap-2 pr-3 pl-1 max-md:col-start-1 max-md:pl-3">
      <nav aria-label="Breadcrumb" className="flex min-w-0 flex-1 items-center gap-1.5 whitespace-nowrap text-text-3">
        {view && (
          <Link to={view.to} className={clsx("flex-none", !rest && "font-semibold text-text")}>
            {view.name}
          </Link>
        )}
        {rest && (
          <>
            <ChevronRight size={12} aria-hidden />
            <b className="truncate font-semibold text-text">{view?.to === "/settings" ? (own(settingsNames, rest) ?? rest) : rest}</b>
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
