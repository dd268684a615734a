/** The course of some values, without axes; its figure stands beside it. */
export function Sparkline({ values, label }: { values: number[]; label: string }) {
  const top = Math.max(...values, 1);
  const step = values.length > 1 ? 190 / (values.length - 1) : 0;
  const points = values.map((v, i) => `${(i * step).toFixed(1)} ${(34 - (v / top) * 32).toFixed(1)}`);
  return (
    <svg viewBox="0 0 190 36" preserveAspectRatio="none" className="h-9 w-full" role="img" aria-label={label}>
      <path d={`M${points.join(" L")} L190 36 L0 36 Z`} className="fill-c-3/15" />
      <path d={`M${points.join(" L")}`} className="fill-none stroke-c-3" strokeWidth={1.5} vectorEffect="non-scaling-stroke" strokeLinejoin="round" />
    </svg>
  );
}
