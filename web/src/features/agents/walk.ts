import type { Placed } from "./layout";

const steps: Record<string, [x: number, y: number]> = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };

/** Where an arrow key leads from a card: to the nearest that way, what lies straight ahead before what is aside. */
export function walk(all: Placed[], from: string, key: string): Placed | undefined {
  const step = steps[key];
  const start = all.find((p) => p.id === from);
  if (!step || !start) return undefined;
  const [sx, sy] = middle(start);
  let best: Placed | undefined;
  let least = Infinity;
  for (const p of all) {
    if (p === start || !walkable(p)) continue;
    const [x, y] = middle(p);
    const ahead = (x - sx) * step[0] + (y - sy) * step[1];
    const aside = Math.abs((x - sx) * step[1]) + Math.abs((y - sy) * step[0]);
    if (ahead < 1 || (step[1] === 0 && aside > start.h)) continue; // sideways within the row
    const cost = ahead + 2 * aside;
    if (cost < least) [best, least] = [p, cost];
  }
  return best;
}

export function walkable(p: Placed): boolean {
  return p.kind === "local" || p.kind === "remote" || p.kind === "job";
}

function middle(p: Placed): [number, number] {
  return [p.x + p.w / 2, p.y + p.h / 2];
}
