import { Command } from "cmdk";
import { useEffect, useMemo, useState, type ReactNode } from "react";
import { createPortal } from "react-dom";
import { visible } from "~/lib/visible";
import { refocus } from "~/ui/focus";

export type Action = { id: string; group: "Actions" | "Agents" | "On peers" | "Jobs" | "Approvals"; label: string; hint?: string; keys?: string; icon?: ReactNode; run: () => void };

const groups = ["Actions", "Approvals", "Agents", "On peers", "Jobs"] as const;
const marks: Record<string, (typeof groups)[number][]> = { ">": ["Actions"], "@": ["Agents", "On peers"], "#": ["Jobs"] };

/** So many of a group are drawn: who looks for others writes more of their names. */
const shown = 8;
const found = 50;

/** What fits the search, in the order of groups, the best of each first; and how many are not drawn. */
export function choose(actions: Action[], search: string): { group: Action["group"]; list: Action[]; more: number }[] {
  const only = marks[search[0] ?? ""];
  const asked = search.replace(/^[>@#]/, "").trim() !== "";
  const most = asked || only ? found : shown;
  return groups
    .filter((g) => !only || only.includes(g))
    .map((group) => {
      const mine = actions.filter((a) => a.group === group);
      const fit = asked
        ? mine
            .map((a) => ({ a, score: match([a.id, a.label, a.hint ?? ""].join(" "), search) }))
            .filter((m) => m.score > 0)
            .sort((x, y) => y.score - x.score)
            .map((m) => m.a)
        : mine;
      const cut = group === "Actions" ? fit.length : most;
      return { group, list: fit.slice(0, cut), more: Math.max(0, fit.length - cut), best: asked ? Math.max(0, ...fit.slice(0, 1).map((a) => match([a.id, a.label, a.hint ?? ""].join(" "), search))) : 0 };
    })
    .filter((g) => g.list.length > 0)
    .sort((a, b) => b.best - a.best);
}

/** Everything that can be done and everyone who is there: > actions, @ agents, # jobs. */
export function Palette({ onClose, actions }: { onClose: () => void; actions: Action[] }) {
  const [text, setText] = useState("");
  const chosen = useMemo(() => choose(actions, text), [actions, text]);
  return (
    <Over label="Find or do" onClose={onClose}>
      <Command loop label="Find or do" shouldFilter={false}>
        <Command.Input autoFocus value={text} onValueChange={setText} placeholder="Find or do…  > actions  @ agents  # jobs" className="h-12 w-full border-b border-border bg-transparent px-4 text-md outline-none placeholder:text-text-3" />
        <Command.List className="max-h-[min(420px,60dvh)] overflow-y-auto p-1.5">
          {chosen.length === 0 && <p className="px-3 py-6 text-center text-text-3">Nothing of that name</p>}
          {chosen.map(({ group, list, more }) => (
            <Command.Group key={group} heading={group} className="[&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:py-1.5 [&_[cmdk-group-heading]]:text-xs [&_[cmdk-group-heading]]:text-text-3">
              {list.map((a) => (
                <Command.Item
                  key={a.id}
                  value={a.id}
                  onSelect={() => {
                    onClose();
                    a.run();
                  }}
                  className="flex h-9 items-center gap-2.5 rounded-md px-2.5 data-[selected=true]:bg-hover max-md:h-11"
                >
                  <span className="flex-none text-text-3">{a.icon}</span>
                  <bdi className="truncate">{visible(a.label)}</bdi>
                  {a.hint && <bdi className="truncate text-xs text-text-3">{visible(a.hint)}</bdi>}
                  {a.keys && <span className="ml-auto text-xs whitespace-nowrap text-text-3">{a.keys}</span>}
                </Command.Item>
              ))}
              {more > 0 && <p className="px-2.5 py-1.5 text-xs text-text-3">{more} more: write some of the name</p>}
            </Command.Group>
          ))}
        </Command.List>
      </Command>
    </Over>
  );
}

/**
 * A modal layer with one field. The usual dialog makes the page below inert by a style of its body, and the
 * browser then looks at each of thousands of elements: that takes longer than all of the rest. Here the
 * layer lies over the page, and the keys stay in it.
 */
function Over({ label, onClose, children }: { label: string; onClose: () => void; children: ReactNode }) {
  useEffect(() => {
    return () => {
      if (document.activeElement === document.body) refocus();
    };
  }, []);
  return createPortal(
    <div
      className="fixed inset-0 z-70 bg-scrim"
      onPointerDown={(e) => e.target === e.currentTarget && onClose()}
      onKeyDown={(e) => {
        if (e.key === "Tab") e.preventDefault();
        if (e.key !== "Escape" || e.nativeEvent.isComposing) return;
        e.stopPropagation();
        onClose();
      }}
    >
      <div role="dialog" aria-modal="true" aria-label={label} className="absolute top-[12dvh] left-1/2 w-[min(640px,calc(100vw-24px))] -translate-x-1/2 animate-appear overflow-hidden rounded-xl border border-border bg-float shadow-3">
        {children}
      </div>
    </div>,
    document.body,
  );
}

/** Every word of the search must stand somewhere; the earlier, the better. */
export function match(text: string, search: string): number {
  const hay = text.toLowerCase();
  let score = 1;
  for (const word of search.replace(/^[>@#]/, "").toLowerCase().split(/\s+/).filter(Boolean)) {
    const at = hay.indexOf(word);
    if (at < 0) return 0;
    score *= 1 / (1 + at / 50);
  }
  return score;
}
