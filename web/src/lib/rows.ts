import { useLayoutEffect, useState, type RefObject } from "react";

/** The rows of a long list that are in sight, and some around them: [from, to). */
export type Sight = { from: number; to: number };

const around = 8;

export function inSight(top: number, height: number, row: number, count: number): Sight {
  const from = Math.max(0, Math.floor(top / row) - around);
  return { from: Math.min(from, count), to: Math.min(count, Math.ceil((top + height) / row) + around) };
}

/** Which rows of one height to draw in a box that scrolls. */
export function useSight(box: RefObject<HTMLElement | null>, row: number, count: number): Sight {
  const [sight, set] = useState<Sight>({ from: 0, to: Math.min(count, 60) });
  useLayoutEffect(() => {
    const el = box.current;
    if (!el) return;
    const look = () =>
      set((was) => {
        const now = inSight(el.scrollTop, el.clientHeight, row, count);
        return was.from === now.from && was.to === now.to ? was : now;
      });
    look();
    el.addEventListener("scroll", look, { passive: true });
    const size = new ResizeObserver(look);
    size.observe(el);
    return () => {
      el.removeEventListener("scroll", look);
      size.disconnect();
    };
  }, [box, row, count]);
  return sight;
}
