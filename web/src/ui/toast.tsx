import { X } from "lucide-react";
import { useSyncExternalStore } from "react";
import { Refusal } from "~/api/client";
import { Button } from "./button";

type Toast = { id: number; text: string; failed: boolean };

let toasts: Toast[] = [];
let next = 1;
const watchers = new Set<() => void>();

function set(now: Toast[]): void {
  toasts = now;
  watchers.forEach((fn) => fn());
}

function drop(id: number): void {
  set(toasts.filter((t) => t.id !== id));
}

/** Says what the user just did. */
export function say(text: string): void {
  const id = next++;
  set([...toasts, { id, text, failed: false }].slice(-4));
  setTimeout(() => drop(id), 4000);
}

/** Says what could not be done; it stays until it is closed. */
export function sayFailed(what: string, cause: unknown): void {
  const why = cause instanceof Error ? cause.message : String(cause);
  const fix = cause instanceof Refusal && cause.fix ? ` What helps: ${cause.fix}` : "";
  const kind = cause instanceof Refusal ? ` (${cause.kind})` : "";
  set([...toasts, { id: next++, text: `${what}: ${why}${kind}.${fix}`, failed: true }].slice(-4));
}

export function Toasts() {
  const all = useSyncExternalStore(
    (fn) => (watchers.add(fn), () => watchers.delete(fn)),
    () => toasts,
  );
  return (
    <div aria-live="polite" className="pointer-events-none fixed right-5 bottom-[148px] z-50 flex w-[min(360px,calc(100vw-24px))] flex-col gap-2 max-md:right-3 max-md:bottom-[210px]">
      {all.map((t) => (
        <div key={t.id} className={`pointer-events-auto flex animate-appear items-start gap-2 rounded-md border p-3 shadow-3 ${t.failed ? "border-failed-line bg-failed-soft" : "border-border bg-float"}`}>
          <span className="min-w-0 flex-1 break-words">{t.text}</span>
          <Button look="ghost" size="sm" icon aria-label="Close" onClick={() => drop(t.id)}>
            <X size={14} />
          </Button>
        </div>
      ))}
    </div>
  );
}
