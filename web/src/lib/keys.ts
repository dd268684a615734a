import { useEffect } from "react";

export type Shortcut = { keys: string; name: string; run: () => void };

/** Single letters are off while a field has focus, and with any modifier but shift. */
function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

const chordTime = 1200;

/** Runs shortcuts: "n", "?", "L" (with shift), or a chord like "g a". */
export function useShortcuts(all: Shortcut[]): void {
  useEffect(() => {
    let first = "";
    let at = 0;
    const press = (e: KeyboardEvent) => {
      if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented || typing(e.target) || document.querySelector("[role=dialog]")) return;
      const chord = first && e.timeStamp - at < chordTime ? `${first} ${e.key}` : "";
      const hit = all.find((s) => s.keys === chord) ?? all.find((s) => s.keys === e.key);
      first = all.some((s) => s.keys.startsWith(e.key + " ")) ? e.key : "";
      at = e.timeStamp;
      if (!hit) return;
      e.preventDefault();
      first = "";
      hit.run();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [all]);
}
