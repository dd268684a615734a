import clsx from "clsx";
import { Check, Link2, Plus, X } from "lucide-react";
import { useSnapshot } from "~/api/state";
import { remembered } from "~/lib/store";
import { Button, Kbd } from "~/ui/button";
import { stepsOf, type Step } from "./steps";

type Props = { onSpawn: (role?: string) => void; onPair: () => void };

const hidden = remembered<"yes" | "no">("guide.hidden", "no", (v): v is "yes" | "no" => v === "yes" || v === "no");

/** What takes the step. */
export function Act({ step, onSpawn, onPair, size }: { step: Step; onSpawn: (role?: string) => void; onPair: () => void; size: "sm" | "lg" }) {
  const className = size === "lg" ? "mt-3" : "";
  switch (step.id) {
    case "spawn":
      return (
        <Button look="primary" size={size} className={className} onClick={() => onSpawn()}>
          <Plus size={16} /> Spawn an agent <Kbd>N</Kbd>
        </Button>
      );
    case "pair":
      return (
        <Button look={size === "lg" ? "primary" : "default"} size={size} className={className} onClick={onPair}>
          <Link2 size={14} /> Pair a machine
        </Button>
      );
    case "job":
      return (
        <Button size={size} className={className} onClick={() => onSpawn("ambassador")}>
          <Plus size={14} /> Spawn an ambassador
        </Button>
      );
    case "answer":
      return null;
  }
}

/** What of the first steps is left, at the foot of the view, until all are taken or the user is tired of it. */
export function Guide({ onSpawn, onPair }: Props) {
  const steps = useSnapshot(stepsOf) ?? [];
  const next = steps.find((s) => !s.done);
  if (hidden.use() === "yes" || !next) return null;
  return (
    <aside aria-label="First steps" className="flex flex-none flex-wrap items-center gap-x-4 gap-y-1.5 border-t border-border bg-sunken px-3 py-2 text-xs">
      <ol className="flex flex-wrap items-center gap-x-4 gap-y-1">
        {steps.map((s) => (
          <li key={s.id} aria-current={s === next ? "step" : undefined} className={clsx("flex items-center gap-1.5", s.done ? "text-running-text" : s === next ? "font-semibold text-text" : "text-text-3")}>
            {s.done ? <Check size={12} aria-hidden /> : <span aria-hidden className="size-2 rounded-full border-[1.5px] border-current" />}
            {s.title}
            {s.done && <span className="sr-only">, done</span>}
          </li>
        ))}
      </ol>
      <span className="ml-auto flex items-center gap-1.5">
        <Act step={next} onSpawn={onSpawn} onPair={onPair} size="sm" />
        <Button look="ghost" size="sm" icon aria-label="Hide the first steps" onClick={() => hidden.set("yes")}>
          <X size={14} />
        </Button>
      </span>
    </aside>
  );
}
