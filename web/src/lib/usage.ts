// What the daemon says of usage over time, shaped for charts. Nothing here draws or guesses:
// a bucket without a turn took 0, one whose turns reported nothing is a gap.
import type { components } from "~/api/schema";

export type Series = components["schemas"]["UsageSeries"];
export type Group = components["schemas"]["UsageGroup"];
export type Point = components["schemas"]["UsagePoint"];
export type By = "agent" | "team" | "program" | "job";

export const windows = ["1h", "24h", "7d", "30d"] as const;
export type Window = (typeof windows)[number];
export const isWindow = (v: unknown): v is Window => windows.some((w) => w === v);

/** "the last 24 h" */
export const windowText: Record<Window, string> = { "1h": "the last hour", "24h": "the last 24 hours", "7d": "the last 7 days", "30d": "the last 30 days" };
/** What one bar is. */
export const bucketText = (s: Pick<Series, "bucketSeconds">): string => (s.bucketSeconds < 3600 ? "a minute" : s.bucketSeconds < 86400 ? "an hour" : "a day");

/** The begin of every bucket, those without a turn too, in ms. */
export function timesOf(s: Series): number[] {
  const step = s.bucketSeconds * 1000;
  const until = Date.parse(s.until);
  const out: number[] = [];
  for (let t = Date.parse(s.since); t <= until && out.length < 1000; t += step) out.push(t);
  return out;
}

/** What pick finds in each bucket. A bucket without a turn is none. */
export function valuesOf(g: Group, times: number[], pick: (p: Point) => number | undefined, none: number | null): (number | null)[] {
  const at = new Map((g.points ?? []).map((p) => [Date.parse(p.at), p]));
  return times.map((t) => {
    const p = at.get(t);
    return p ? (pick(p) ?? null) : none;
  });
}

/** The sum up to each bucket. It goes on over gaps, and begins with 0. */
export function sumsOf(values: (number | null)[]): number[] {
  let sum = 0;
  return values.map((v) => (sum += v ?? 0));
}

/** The currency of most of the cost figures; costs of two currencies have no sum. */
export function currencyOf(g: Group): string | undefined {
  const count = new Map<string, number>();
  for (const p of g.points ?? []) for (const c of p.costs ?? []) count.set(c.currency, (count.get(c.currency) ?? 0) + 1);
  return [...count].sort((a, b) => b[1] - a[1])[0]?.[0];
}

export const costOf = (p: { costs?: Point["costs"] }, currency: string | undefined): number | undefined => p.costs?.find((c) => c.currency === currency)?.value;

const colours = ["--c-1", "--c-3", "--c-2", "--c-5"] as const; // c-4 is for peers
const most = colours.length;

export type Band = { key: string; name: string; colour: string; group: Group };

/** Groups as bands of a chart: the largest first, the smallest as one where there are many. */
export function bandsOf(s: Series, name: (key: string) => string): Band[] {
  const weight = (g: Group) => g.tokens ?? 0;
  const sorted = [...(s.groups ?? [])].sort((a, b) => weight(b) - weight(a) || b.turns - a.turns || (a.key < b.key ? -1 : 1));
  const shown = sorted.length > most ? sorted.slice(0, most - 1) : sorted;
  const bands = shown.map((group, i) => ({ key: group.key, name: name(group.key), colour: colours[i]!, group }));
  const rest = sorted.slice(shown.length);
  if (rest.length > 0) bands.push({ key: "\0others", name: `${rest.length} others`, colour: colours[most - 1]!, group: merged(rest) });
  return bands;
}

function merged(groups: Group[]): Group {
  const at = new Map<string, Point>();
  for (const g of groups)
    for (const p of g.points ?? []) {
      const old = at.get(p.at);
      at.set(p.at, old ? { at: p.at, turns: old.turns + p.turns, reported: old.reported + p.reported, tokens: plus(old.tokens, p.tokens) } : { at: p.at, turns: p.turns, reported: p.reported, tokens: p.tokens });
    }
  return { key: "", turns: groups.reduce((n, g) => n + g.turns, 0), reported: groups.reduce((n, g) => n + g.reported, 0), tokens: groups.reduce<number | undefined>((n, g) => plus(n, g.tokens), undefined), points: [...at.values()] };
}

const plus = (a: number | undefined, b: number | undefined): number | undefined => (a === undefined ? b : b === undefined ? a : a + b);

/** Each series on top of those before it, as a chart draws them; gaps are 0 there. */
export function stacked(all: (number | null)[][]): number[][] {
  const out: number[][] = [];
  for (const values of all) {
    const below = out.at(-1);
    out.push(values.map((v, i) => (below?.[i] ?? 0) + (v ?? 0)));
  }
  return out;
}

/** When a bucket is: "14:00", "Sun 14:00", "12 Apr". */
export function bucketName(t: number, s: Pick<Series, "bucketSeconds" | "since" | "until">): string {
  const at = new Date(t);
  const day = at.toLocaleDateString("en", { day: "numeric", month: "short" });
  if (s.bucketSeconds >= 86400) return day;
  const clock = at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  return Date.parse(s.until) - Date.parse(s.since) > 86_400_000 ? `${day}, ${clock}` : clock;
}
