import { useEffect, useRef, useState, type ReactNode } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { stacked } from "~/lib/usage";

export type Line = { name: string; colour: string; values: (number | null)[] };

type Props = {
  label: string;
  /** The begin of each bucket, in ms, and its width. */
  times: number[];
  width: number;
  lines: Line[];
  kind: "bars" | "line" | "area";
  y: (n: number) => string;
  /** The values are times: their axis has steps as a clock has. */
  clock?: boolean;
  /** What a bucket is called where it is pointed at. */
  at: (t: number) => string;
  height?: number;
  /** Without a time axis, where the next chart has it. */
  bare?: boolean;
  title?: ReactNode;
};

/** Figures over time; bars stand on one another. Its colours are the theme's, and the bucket that is pointed at is told in words. */
export default function SeriesChart({ label, times, width, lines, kind, y, at, height = 180, bare, clock, title }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [over, point] = useState<number>();
  useEffect(() => {
    const el = box.current;
    if (!el || times.length === 0) return;
    let plot: uPlot | undefined;
    const draw = () => {
      plot?.destroy();
      plot = new uPlot(options(el, { times, width, lines, kind, y, height, bare, clock }, point), dataOf(times, width, lines, kind), el);
    };
    draw();
    const size = new ResizeObserver(() => plot && el.clientWidth > 0 && plot.width !== el.clientWidth && plot.setSize({ width: el.clientWidth, height }));
    size.observe(el);
    const theme = new MutationObserver(draw);
    theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return () => {
      size.disconnect();
      theme.disconnect();
      plot?.destroy();
    };
  }, [times, width, lines, kind, y, height, bare, clock]);
  const last = times.length - 1;
  const step = (by: number) => point((i) => Math.min(last, Math.max(0, (i ?? (by > 0 ? -1 : last + 1)) + by)));
  return (
    <figure className="flex min-w-0 flex-col">
      <figcaption className="flex min-h-6 flex-wrap items-center gap-x-3 gap-y-0.5 text-xs text-text-2">
        {title}
        {over !== undefined && times[over] !== undefined ? (
          <span role="status" className="ml-auto flex flex-wrap gap-x-2.5">
            <b className="font-medium text-text">{at(times[over])}</b>
            {lines.map((l) => (
              <span key={l.name}>
                <bdi>{l.name}</bdi> {l.values[over] === null || l.values[over] === undefined ? "–" : y(l.values[over])}
              </span>
            ))}
          </span>
        ) : (
          lines.length > 1 && (
            <span className="ml-auto flex flex-wrap gap-x-3">
              {lines.map((l) => (
                <Key key={l.name} colour={l.colour}>
                  {l.name}
                </Key>
              ))}
            </span>
          )
        )}
      </figcaption>
      <div
        ref={box}
        role="img"
        aria-label={label}
        tabIndex={0}
        onKeyDown={(e) => {
          if (e.key !== "ArrowLeft" && e.key !== "ArrowRight") return;
          e.preventDefault();
          step(e.key === "ArrowRight" ? 1 : -1);
        }}
        onBlur={() => point(undefined)}
        className="w-full overflow-hidden rounded-xs"
        style={{ height }}
      />
    </figure>
  );
}

export function Key({ colour, children }: { colour: string; children: ReactNode }) {
  return (
    <span className="inline-flex items-center gap-1.5">
      <span aria-hidden className="size-2.5 flex-none rounded-[2px]" style={{ background: `var(${colour})` }} />
      <bdi className="max-w-40 truncate">{children}</bdi>
    </span>
  );
}

/** Steps of an axis of times, in ms: those of a clock. */
const steps = [...[1, 2, 5].flatMap((n) => [n, n * 10, n * 100]), ...[1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 18_000, 36_000].map((n) => n * 1000)].sort((a, b) => a - b);

type Drawn = Pick<Props, "times" | "width" | "lines" | "kind" | "y" | "bare" | "clock"> & { height: number };

/** Bars are drawn from the ground up, the tallest sum first: the ones before it then cover it. */
function dataOf(times: number[], width: number, lines: Line[], kind: Props["kind"]): uPlot.AlignedData {
  const xs = times.map((t) => (t + width / 2) / 1000);
  const bars = () => stacked(lines.map((l) => l.values)).reverse().map((sums) => sums.map((v) => v || null)); // nothing has no bar, and no line at the ground
  return [xs, ...(kind === "bars" ? bars() : lines.map((l) => l.values))];
}

function options(el: HTMLElement, { times, width, lines, kind, y, height, bare, clock }: Drawn, point: (i: number | undefined) => void): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const axis = { stroke: colour("--text-3"), grid: { stroke: colour("--chart-grid"), width: 1 }, ticks: { show: false }, font: '11px "Geist Variable", sans-serif' };
  const drawn = kind === "bars" ? [...lines].reverse() : lines;
  const days = width >= 86_400_000;
  return {
    width: el.clientWidth,
    height,
    padding: [8, 8, bare ? 8 : 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: kind !== "bars", size: 6 }, drag: { x: false, y: false, setScale: false } },
    scales: {
      x: { time: true, range: () => [times[0]! / 1000, (times.at(-1)! + width) / 1000] },
      y: { range: (_, __, top) => [0, (top || 1) * 1.04] },
    },
    axes: [
      { ...axis, show: !bare, grid: { show: false }, size: 24, space: days ? 56 : 64, values: (u, all, __, ___, step) => all.map((s) => (within(u, s) ? tick(s * 1000, step) : "")) },
      { ...axis, size: 56, space: 34, ...(clock && { incrs: steps }), values: (_, all) => all.map(y) },
    ],
    series: [
      {},
      ...drawn.map(
        (l): uPlot.Series => ({
          stroke: kind === "bars" ? colour("--surface") : colour(l.colour),
          width: kind === "bars" ? (times.length > 90 ? 0 : 1) : 1.75,
          fill: kind === "line" ? undefined : colour(l.colour) + (kind === "bars" ? "" : "1f"),
          spanGaps: kind === "line",
          points: { show: kind !== "bars" && times.length < 40 && l.values.some((v, i) => v !== null && (l.values[i - 1] ?? null) === null && (l.values[i + 1] ?? null) === null), size: 5 },
          paths: kind === "bars" ? uPlot.paths.bars?.({ size: [0.76, 36], align: 0 }) : undefined,
        }),
      ),
    ],
    hooks: { setCursor: [(u) => point(u.cursor.idx ?? undefined)] },
  };
}

/** Whether a label has room between the ends of the axis. */
function within(u: uPlot, s: number): boolean {
  const at = u.valToPos(s, "x");
  return at > 14 && at < u.bbox.width / devicePixelRatio - 14;
}

/** A tick of the time axis: the day at midnight and for days, else the time. */
function tick(ms: number, step: number): string {
  const at = new Date(ms);
  if (step >= 86_400 || (at.getHours() === 0 && at.getMinutes() === 0)) return at.toLocaleDateString("en", { day: "numeric", month: "short" });
  return at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}
