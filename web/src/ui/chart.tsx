import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

type Props = { label: string; xs: number[]; ys: (number | null)[]; bars?: boolean; x: (v: number) => string; y: (v: number) => string };

/** One series over time. Its colours are the theme's; a gap is what was not reported. */
export default function Chart({ label, xs, ys, bars, x, y }: Props) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const el = box.current;
    if (!el) return;
    let plot: uPlot | undefined;
    const draw = () => {
      plot?.destroy();
      const style = getComputedStyle(document.documentElement);
      const colour = (name: string) => style.getPropertyValue(name).trim();
      const axis = { stroke: colour("--text-3"), grid: { stroke: colour("--chart-grid"), width: 1 }, ticks: { show: false }, font: '11px "Geist Variable", sans-serif' };
      plot = new uPlot(
        {
          width: el.clientWidth,
          height: 140,
          legend: { show: false },
          cursor: { show: false },
          scales: { x: { time: false, range: bars ? (_, a, b) => [a - 0.6, b + 0.6] : undefined }, y: { range: (_, __, top) => [0, top || 1] } },
          axes: [
            { ...axis, grid: { show: false }, size: 24, incrs: [1, 2, 5, 10, 20, 50, 100, 500, 1000], values: (_, all) => all.map(x) },
            { ...axis, size: 56, space: 36, values: (_, all) => all.map(y) },
          ],
          series: [
            {},
            { stroke: colour("--c-1"), width: 1.5, fill: colour("--c-1") + (bars ? "" : "22"), points: { show: !bars && xs.length < 30, size: 5 }, paths: bars ? uPlot.paths.bars?.({ size: [0.6, 40] }) : undefined },
          ],
        },
        [xs, ys],
        el,
      );
    };
    draw();
    const size = new ResizeObserver(() => plot && plot.width !== el.clientWidth && plot.setSize({ width: el.clientWidth, height: 140 }));
    size.observe(el);
    const theme = new MutationObserver(draw);
    theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return () => {
      size.disconnect();
      theme.disconnect();
      plot?.destroy();
    };
  }, [xs, ys, bars, x, y]);
  return <div ref={box} role="img" aria-label={label} className="h-[140px] w-full overflow-hidden" />;
}
