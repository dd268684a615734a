import clsx from "clsx";

const colours = { time: ["fill-c-3/15", "stroke-c-3"], amount: ["fill-c-1/15", "stroke-c-1"], peer: ["fill-c-4/15", "stroke-c-4"] } as const;

/** The course of some values, without axes; its figure stands beside it. */
export function Sparkline({ values, label, of = "time", className }: { values: number[]; label: string; of?: keyof typeof colours; className?: string }) {
  if (values.length < 2) return null;
  const top = Math.max(...values) || 1;
  const step = 190 / (values.length - 1);
  const points = values.map((v, i) => `${(i * step).toFixed(1)} ${(34 - (v / top) * 32).toFixed(1)}`);
  const [fill, stroke] = colours[of];
  return (
    <svg viewBox="0 0 190 36" preserveAspectRatio="none" className={clsx("h-9 w-full", className)} role="img" aria-label={label}>
      <path d={`M${points.join(" L")} L190 36 L0 36 Z`} className={fill} />
      <path d={`M${points.join(" L")}`} className={clsx("fill-none", stroke)} strokeWidth={1.5} vectorEffect="non-scaling-stroke" strokeLinejoin="round" />
    </svg>
  );
}
