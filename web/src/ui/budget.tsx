import { useState, type ReactNode } from "react";
import type { Agent } from "~/api/client";
import { money, number, tokensOf } from "~/lib/figures";
import { Button } from "./button";
import { Field, Input, Meter } from "./controls";
import { Refused } from "./note";

type Bounds = { cost: number; tokens: number; turns: number };

type Props = {
  usage: Agent["usage"];
  turns: number;
  budget: Agent["budget"];
  /** What happens when it is spent, and what stands where there is none. */
  spent: string;
  none: string;
  save?: (bounds: Bounds) => Promise<void>;
  /** Puts the name and the button where they belong. */
  frame: (action: ReactNode, content: ReactNode) => ReactNode;
};

type Bound = { name: string; key: "cost" | "tokens" | "turns"; spent: number | undefined; most: number | undefined; show: (n: number | undefined) => string };

/** What may be taken, and how much of that is. */
export function Budget({ usage, turns, budget, spent, none, save, frame }: Props) {
  const [editing, edit] = useState(false);
  const b = budget ?? {};
  const u = usage ?? {};
  const bounds: Bound[] = [
    { name: "Cost", key: "cost", spent: u.cost, most: b.cost, show: (n) => money(n, u.currency) },
    { name: "Tokens", key: "tokens", spent: tokensOf(u), most: b.tokens, show: number },
    { name: "Turns", key: "turns", spent: turns, most: b.turns, show: number },
  ];
  const set = bounds.filter((x) => x.most);
  return frame(
    save && !editing && (
      <Button size="sm" look="ghost" onClick={() => edit(true)}>
        {set.length > 0 ? "Change it" : "Set one"}
      </Button>
    ),
    editing && save ? (
      <Edit save={save} bounds={bounds} onClose={() => edit(false)} />
    ) : (
      <>
        {set.length === 0 && <p className="text-text-2">{none}</p>}
        <ul className="grid grid-cols-[64px_minmax(0,1fr)_auto] items-center gap-x-3 gap-y-2">
          {set.map((x) => {
            const percent = x.spent === undefined ? undefined : Math.floor((x.spent * 100) / x.most!);
            return (
              <li key={x.key} className="col-span-3 grid grid-cols-subgrid items-center">
                <span className="text-text-3">{x.name}</span>
                {percent === undefined ? <span className="text-text-3">not reported by its program</span> : <Meter percent={percent} label={`${x.name} spent`} warn={percent >= 80} />}
                <span className="text-right whitespace-nowrap">
                  {x.spent !== undefined && `${x.show(x.spent)} of `}
                  {x.show(x.most)}
                </span>
              </li>
            );
          })}
        </ul>
        {set.length > 0 && <p className="mt-2 text-xs text-text-3">{spent}</p>}
      </>
    ),
  );
}

function Edit({ save: keep, bounds, onClose }: { save: (bounds: Bounds) => Promise<void>; bounds: Bound[]; onClose: () => void }) {
  const [text, setText] = useState<Record<string, string>>(() => Object.fromEntries(bounds.map((b) => [b.key, b.most ? String(b.most) : ""])));
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<unknown>();
  const bad = (key: string) => {
    const n = Number(text[key] || 0);
    return !(n >= 0) || (key !== "cost" && !Number.isInteger(n)) ? "a number" : undefined;
  };
  const wrong = bounds.some((b) => bad(b.key));
  const save = async () => {
    setBusy(true);
    setFailed(undefined);
    try {
      await keep({ cost: Number(text.cost || 0), tokens: Number(text.tokens || 0), turns: Number(text.turns || 0) });
      onClose();
    } catch (cause) {
      setFailed(cause);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      className="flex flex-col gap-3 rounded-md border border-border bg-sunken p-3"
      onSubmit={(e) => {
        e.preventDefault();
        if (!wrong) void save();
      }}
    >
      {failed !== undefined && <Refused what="Not changed." cause={failed} />}
      <div className="grid grid-cols-3 gap-2 max-sm:grid-cols-1">
        {bounds.map((b) => (
          <Field key={b.key} label={b.name} error={bad(b.key)}>
            {(p) => <Input {...p} inputMode="decimal" placeholder="no bound" value={text[b.key] ?? ""} onChange={(e) => setText({ ...text, [b.key]: e.target.value.trim() })} />}
          </Field>
        ))}
      </div>
      <div className="flex justify-end gap-2">
        <Button size="sm" onClick={onClose}>
          Leave it
        </Button>
        <Button acts size="sm" look="primary" type="submit" disabled={busy || wrong}>
          Set the budget
        </Button>
      </div>
    </form>
  );
}
