import type { ReactNode } from "react";
import { remembered } from "~/lib/store";

const least = 360;
const most = 720;
const width = remembered<number>("agents.panel", 440, (v): v is number => typeof v === "number" && v >= least && v <= most);
const fit = (w: number) => Math.min(most, Math.max(least, Math.round(w)));

/** The panel at the side, as wide as its user drew it. On a phone it is the view. */
export function SidePanel({ wide, children }: { wide?: boolean; children: ReactNode }) {
  const now = width.use();
  return (
    <aside className={wide ? "flex min-h-0 min-w-0 flex-1 flex-col" : "relative flex min-h-0 flex-none flex-col border-l border-border max-md:!w-full max-md:border-l-0"} style={wide ? undefined : { width: now }}>
      <div
        hidden={wide}
        role="separator"
        aria-orientation="vertical"
        aria-label="Width of the panel"
        aria-valuenow={now}
        aria-valuemin={least}
        aria-valuemax={most}
        tabIndex={0}
        onKeyDown={(e) => {
          if (e.key === "ArrowLeft") width.set(fit(now + 24));
          if (e.key === "ArrowRight") width.set(fit(now - 24));
        }}
        onPointerDown={(e) => e.currentTarget.setPointerCapture(e.pointerId)}
        onPointerMove={(e) => {
          if (!e.currentTarget.hasPointerCapture(e.pointerId)) return;
          width.set(fit(e.currentTarget.parentElement!.getBoundingClientRect().right - e.clientX));
        }}
        className="absolute inset-y-0 -left-1 z-20 w-2 cursor-col-resize touch-none hover:bg-accent/20 focus-visible:bg-accent/30 max-md:hidden"
      />
      {children}
    </aside>
  );
}
