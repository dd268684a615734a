import clsx from "clsx";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

export function Card({ title, aside, children, className }: { title: ReactNode; aside?: ReactNode; children: ReactNode; className?: string }) {
  return (
    <section className={clsx("flex min-w-0 flex-col gap-2 rounded-lg border border-border p-4", className)}>
      <header className="flex min-h-7 flex-wrap items-center gap-2">
        <h2 className="flex-1">{title}</h2>
        {aside}
      </header>
      {children}
    </section>
  );
}

/** One figure of the strip, with what it means below it and its course at the foot. */
export function Kpi({ title, value, unit, children, spark, to }: { title: string; value: ReactNode; unit?: ReactNode; children?: ReactNode; spark?: ReactNode; to?: "/agents" | "/approvals" }) {
  const inner = (
    <>
      <h2 className="font-medium">{title}</h2>
      <p className="text-2xl font-semibold tracking-tight whitespace-nowrap max-md:text-xl">
        {value}
        {unit && <span className="text-md font-normal tracking-normal text-text-3"> {unit}</span>}
      </p>
      <div className="text-xs text-text-3">{children}</div>
      {spark && <div className="-mx-3.5 mt-auto pt-1.5">{spark}</div>}
    </>
  );
  const look = "flex min-h-[124px] min-w-0 flex-col gap-0.5 overflow-hidden rounded-lg border border-border px-3.5 pt-3 pb-0";
  return to ? (
    <Link to={to} className={clsx(look, "hover:border-border-strong")}>
      {inner}
    </Link>
  ) : (
    <section className={look}>{inner}</section>
  );
}

/** A name, a bar of its share, a figure. */
export function Share({ name, part, figure, warn, colour }: { name: ReactNode; part: number; figure: ReactNode; warn?: boolean; colour?: string }) {
  return (
    <li className="grid min-h-[30px] grid-cols-[minmax(72px,112px)_minmax(0,1fr)_auto] items-center gap-2.5">
      <span className="truncate">{name}</span>
      <svg viewBox="0 0 100 6" preserveAspectRatio="none" className="h-1.5 w-full rounded-full bg-active" aria-hidden>
        <rect width={Math.min(100, Math.max(0, part))} height="6" className={clsx(!colour && (warn ? "fill-awaiting" : "fill-text-3"))} style={colour ? { fill: `var(${colour})` } : undefined} />
      </svg>
      <span className="min-w-11 text-right">{figure}</span>
    </li>
  );
}
