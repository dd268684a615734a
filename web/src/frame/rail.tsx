import { Link, useRouterState } from "@tanstack/react-router";
import clsx from "clsx";
import { Ellipsis, Keyboard, Link2, Plus, Search, Sun } from "lucide-react";
import { useSnapshot } from "~/api/state";
import { toggleTheme } from "~/lib/theme";
import { visible } from "~/lib/visible";
import { Button, Kbd } from "~/ui/button";
import { PeerDot } from "~/ui/status";
import { overlay } from "./actions";
import { views } from "./views";

/** Where to go: a rail at the side, on a phone a bar at the foot. */
export function Rail() {
  const name = useSnapshot((s) => s.status.name);
  const counts = useCounts();
  return (
    <nav aria-label="Main" className="row-span-3 row-start-1 flex min-h-0 flex-col gap-0.5 overflow-y-auto px-2 pt-2.5 pb-2 max-md:row-span-1 max-md:row-start-4 max-md:flex-row max-md:justify-around max-md:overflow-visible max-md:border-t max-md:border-border max-md:bg-surface max-md:p-1">
      <div className="mb-1.5 flex h-10 items-center gap-2.5 px-2 max-md:hidden">
        <Logo />
        <span className="min-w-0 flex-1 truncate text-md font-semibold tracking-tight max-lg:hidden"><bdi>{visible(name ?? "groove")}</bdi></span>
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
        <Link key={v.to} to={v.to} title={v.name} className={clsx(entry, v.more && "max-md:hidden")}>
          <v.icon size={16} strokeWidth={1.75} className="flex-none group-data-[status=active]:text-accent-text" />
          <span className="flex-1 max-lg:hidden max-md:block max-md:flex-none max-md:leading-tight">{v.name}</span>
          <Count {...counts[v.to]} />
        </Link>
      ))}
      <More />
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

const entry =
  "group relative flex h-8 items-center gap-2.5 rounded-md px-2.5 font-medium text-text-2 hover:bg-hover hover:text-text data-[status=active]:bg-active data-[status=active]:text-text max-lg:justify-center max-md:h-12 max-md:min-w-0 max-md:flex-1 max-md:flex-col max-md:justify-center max-md:gap-0.5 max-md:px-0.5 max-md:text-[11px]";

/** On a phone: the views for which the bar has no room, and what stands elsewhere on a wide page. */
function More() {
  const path = useRouterState({ select: (s) => s.location.pathname });
  const rest = views.filter((v) => v.more);
  const here = rest.some((v) => path.startsWith(v.to));
  const row = "flex h-11 w-full items-center gap-2.5 rounded-sm px-2.5 text-left focus-visible:-outline-offset-2";
  const act = (run: () => void) => () => {
    document.getElementById("more")?.hidePopover();
    run();
  };
  return (
    <>
      <button type="button" popoverTarget="more" data-status={here ? "active" : undefined} className={clsx(entry, "md:hidden")}>
        <Ellipsis size={16} strokeWidth={1.75} aria-hidden className="flex-none group-data-[status=active]:text-accent-text" />
        <span className="leading-tight">More</span>
      </button>
      <div id="more" popover="auto" className="fixed inset-auto right-2 bottom-16 m-0 w-56 rounded-md border border-border bg-float p-1 text-text shadow-3">
        {rest.map((v) => (
          <Link key={v.to} to={v.to} className={clsx(row, "data-[status=active]:bg-active")} onClick={act(() => {})}>
            <v.icon size={16} strokeWidth={1.75} aria-hidden /> {v.name}
          </Link>
        ))}
        <hr className="my-1 border-border" />
        <button type="button" className={row} onClick={act(() => overlay.set("pair"))}>
          <Link2 size={16} strokeWidth={1.75} aria-hidden /> Pair a machine
        </button>
        <button type="button" className={row} onClick={act(toggleTheme)}>
          <Sun size={16} strokeWidth={1.75} aria-hidden /> Light or dark
        </button>
      </div>
    </>
  );
}

type CountOf = { n: number; hot?: boolean };

function useCounts(): Record<string, CountOf> {
  const agents = useSnapshot((s) => (s.agents ?? []).filter((a) => !isOver(a.status)).length) ?? 0;
  const jobs = useSnapshot((s) => (s.jobs ?? []).filter((j) => j.state !== "closed").length) ?? 0;
  const asked = useSnapshot((s) => (s.approvals ?? []).length) ?? 0;
  return { "/agents": { n: agents }, "/jobs": { n: jobs }, "/approvals": { n: asked, hot: asked > 0 } };
}

function isOver(status: string): boolean {
  return ["completed", "crashed", "killed", "failed", "removed"].includes(status);
}

function Count({ n, hot }: Partial<CountOf>) {
  if (!n) return null;
  return <span className={clsx("text-xs", hot ? "rounded-full bg-awaiting-soft px-1.5 font-semibold text-awaiting-text max-lg:absolute max-lg:top-0 max-lg:left-1/2 max-lg:ml-1.5 max-lg:px-1 max-lg:text-[11px] max-lg:leading-4" : "text-text-3 max-lg:hidden")}>{n}</span>;
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
              <bdi>{visible(p.name)}</bdi>
            </span>
            <span className="text-xs whitespace-nowrap text-text-3">{leg ? (leg.rttMs ? `${Math.max(1, Math.round(leg.rttMs))} ms` : leg.state) : "no job"}</span>
          </Link>
        );
      })}
    </section>
  );
}

function Logo() {
  return (
    <svg viewBox="0 0 24 24" fill="none" strokeLinecap="round" strokeWidth="2" aria-hidden className="size-[26px] flex-none">
      <path d="M12 11.5a2 2 0 0 1 0 4 4 4 0 0 1 0-8 6 6 0 0 1 0 12" stroke="currentColor" />
      <path d="M12 19.5a8 8 0 0 1 0-16 10 10 0 0 1 9.6 7.2" stroke="var(--accent)" />
    </svg>
  );
}

