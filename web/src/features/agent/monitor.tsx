import { lazy, Suspense, useMemo } from "react";
import type { Agent } from "~/api/client";
import { useOutput } from "~/api/output";
import { useSeries } from "~/api/usage";
import { hasEnded } from "~/lib/agent";
import { compact, took } from "~/lib/figures";
import { useNow } from "~/lib/now";
import { remembered } from "~/lib/store";
import { clock, span } from "~/lib/time";
import { bucketName, bucketText, costOf, currencyOf, isWindow, sumsOf, timesOf, valuesOf, windows, windowText, type Series, type Window } from "~/lib/usage";
import { Meter, Segmented } from "~/ui/controls";
import { Facts, Section } from "~/ui/facts";
import { Refused } from "~/ui/note";
import { Sparkline } from "~/ui/sparkline";
import { Budget } from "./budget";
import { fillOf, fillsOf, median, money, number, tokensOf, turnsOf } from "./facts";
import { Sessions } from "./sessions";

const SeriesChart = lazy(() => import("~/ui/series"));

/** What the agent has used, and how long its turns took. What its program does not say is said to be so. */
export function Monitor({ agent }: { agent: Agent }) {
  const now = useNow();
  const u = agent.usage ?? {};
  const fill = fillOf(agent);
  const output = useOutput(agent.name, agent.created);
  const turns = useMemo(() => turnsOf(output.items), [output.items]);
  const fills = useMemo(() => fillsOf(output.items), [output.items]);
  const lasted = useMemo(() => turns.flatMap((t) => (t.ms === undefined ? [] : [t.ms])), [turns]);
  const typical = median(lasted);
  return (
    <div className="min-h-0 flex-1 overflow-y-auto" tabIndex={0} aria-label="Monitor" role="region">
      <div className="mx-auto max-w-[1000px]">
        <Section>
          <div className="grid grid-cols-2 gap-x-6 gap-y-5 @container">
            <Figure name="Tokens" value={number(tokensOf(u))} />
            <Figure name="Cost" value={money(u.cost, u.currency)} />
            <Figure name="Context fill" value={fill === undefined ? "not reported" : `${fill} %`}>
              {fill !== undefined && <Meter percent={fill} label="Context fill" warn={fill >= 80} />}
              <Fills fills={fills} />
            </Figure>
            <Figure name="Turn time, median" value={typical === undefined ? "no turn yet" : took(typical)}>
              {lasted.length > 1 && <Sparkline values={lasted.slice(-60)} label={`Time of the last ${Math.min(60, lasted.length)} turns`} />}
            </Figure>
          </div>
        </Section>
        <Over agent={agent} />
        <Budget agent={agent} />
        <Section title="Now">
          <Facts
            rows={[
              ["Status", `${agent.status}${agent.reason ? `: ${agent.reason}` : ""}`],
              [hasEnded(agent.status) ? "Ended" : "Since", span(now - Date.parse(agent.since)) + (hasEnded(agent.status) ? " ago" : "")],
              ["Says of itself", agent.progress && <bdi>{agent.progress}</bdi>],
              ["Summary", agent.summary && <bdi>{agent.summary}</bdi>],
              ["Turns", number(agent.turns)],
              ["Not read", `${agent.unread} ${agent.unread === 1 ? "message" : "messages"}`],
              ["Spawned", span(now - Date.parse(agent.created)) + " ago"],
            ]}
          />
        </Section>
        <Section title="Tokens">
          <Facts
            rows={[
              ["Input", number(u.inputTokens)],
              ["Output", number(u.outputTokens)],
              ["Reasoning", number(u.reasoningTokens)],
              ["Read from cache", number(u.cachedReadTokens)],
              ["Written to cache", number(u.cachedWriteTokens)],
              ["Context", u.contextUsed === undefined ? "not reported" : `${number(u.contextUsed)} of ${number(u.contextSize)}`],
            ]}
          />
        </Section>
        <Section title="Turns" count={turns.length}>
          {output.failed !== undefined && <Refused what="The record cannot be read." cause={output.failed} />}
          {output.ready && turns.length === 0 && <p className="text-text-2">None has ended in this session.</p>}
          {turns.length > 0 && (
            <table className="w-full border-collapse">
              <thead className="text-xs text-text-3">
                <tr className="border-b border-border">
                  <th scope="col" className="py-1.5 text-left font-medium">
                    Turn
                  </th>
                  <th scope="col" className="py-1.5 text-left font-medium">
                    Began
                  </th>
                  <th scope="col" className="py-1.5 text-left font-medium">
                    Ended by
                  </th>
                  <th scope="col" className="py-1.5 text-right font-medium">
                    Time
                  </th>
                </tr>
              </thead>
              <tbody>
                {turns
                  .slice(-30)
                  .reverse()
                  .map((t) => (
                    <tr key={t.n} className="border-b border-border last:border-b-0">
                      <td className="py-1.5">{t.n}</td>
                      <td className="py-1.5 text-text-2">{t.began ? clock(t.began) : "not recorded"}</td>
                      <td className="py-1.5 break-words text-text-2">{t.end === "end_turn" ? "its program" : t.end.replaceAll("_", " ")}</td>
                      <td className="py-1.5 text-right">{t.ms === undefined ? "–" : took(t.ms)}</td>
                    </tr>
                  ))}
              </tbody>
            </table>
          )}
          {turns.some((t) => !t.exact) && <p className="mt-2 text-xs text-text-3">Where a prompt is not recorded, its turn counts from the first thing that the agent said or did.</p>}
        </Section>
        <Sessions agent={agent} />
      </div>
    </div>
  );
}

const names: Record<Window, string> = { "1h": "1 h", "24h": "24 h", "7d": "7 d", "30d": "30 d" };
const looked = remembered<Window>("monitor.window", "24h", isWindow);

const sorts = [
  { name: "input", colour: "--c-1", pick: "inputTokens" },
  { name: "from cache", colour: "--c-3", pick: "cachedReadTokens" },
  { name: "to cache", colour: "--c-5", pick: "cachedWriteTokens" },
  { name: "output", colour: "--c-2", pick: "outputTokens" },
] as const;

const times = [
  { name: "median", colour: "--c-3", pick: "p50Ms" },
  { name: "95 of 100", colour: "--c-2", pick: "p95Ms" },
] as const;

/** Tokens, cost, turns and their times as they went. */
function Over({ agent }: { agent: Agent }) {
  const w = looked.use();
  const q = useSeries({ window: w, by: "agent", agent: agent.name });
  const s = q.data;
  return (
    <Section title="Over time" action={<Segmented label="How far back" value={w} onChange={looked.set} options={windows.map((value) => ({ value, label: names[value] }))} />}>
      {q.isError && !s && <Refused what="Usage cannot be read." cause={q.error} />}
      {s && (s.all.turns === 0 ? <p className="text-text-2">No turn in {windowText[w]}.</p> : <Charts series={s} />)}
      {!s && !q.isError && <div className="h-[300px]" />}
    </Section>
  );
}

function Charts({ series: s }: { series: Series }) {
  const shape = useMemo(() => {
    const at = timesOf(s);
    const currency = currencyOf(s.all);
    const parts = sorts.filter((x) => s.all[x.pick] !== undefined).map((x) => ({ name: x.name, colour: x.colour, values: valuesOf(s.all, at, (p) => p[x.pick], 0) }));
    const whole = { name: "tokens", colour: "--c-1", values: valuesOf(s.all, at, (p) => p.tokens, 0) };
    return {
      at,
      currency,
      tokens: s.all.tokens === undefined ? undefined : parts.length > 0 ? parts : [whole],
      cost: [{ name: "cost so far", colour: "--c-1", values: sumsOf(valuesOf(s.all, at, (p) => costOf(p, currency), 0)) }],
      turns: [{ name: "turns", colour: "--c-3", values: valuesOf(s.all, at, (p) => p.turns, 0) }],
      took: times.map((x) => ({ name: x.name, colour: x.colour, values: valuesOf(s.all, at, (p) => p.took?.[x.pick], null) })),
    };
  }, [s]);
  const price = useMemo(() => (n: number) => money(n, shape.currency), [shape.currency]);
  const called = useMemo(() => (t: number) => bucketName(t, s), [s]);
  const common = { times: shape.at, width: s.bucketSeconds * 1000, at: called };
  const t = s.all.took;
  return (
    <Suspense fallback={<div className="h-[300px]" />}>
      <div className="flex flex-col gap-3">
        {shape.tokens ? (
          <SeriesChart {...common} title={`Tokens ${bucketText(s)}`} label={`Tokens ${bucketText(s)}: ${number(s.all.tokens)} in all`} lines={shape.tokens} kind="bars" y={compact} height={150} />
        ) : (
          <p className="text-text-3">No turn reported tokens.</p>
        )}
        {shape.currency !== undefined && <SeriesChart {...common} title="Cost so far" label={`Cost so far: ${money(costOf(s.all, shape.currency), shape.currency)}`} lines={shape.cost} kind="area" y={price} height={100} />}
        <SeriesChart {...common} title={`Turns ${bucketText(s)}`} label={`Turns ${bucketText(s)}: ${s.all.turns} in all`} lines={shape.turns} kind="bars" y={whole} height={90} />
        {t && <SeriesChart {...common} title="Turn time" label={`How long turns took: median ${took(t.p50Ms)}, 95 of 100 within ${took(t.p95Ms)}, longest ${took(t.maxMs)}`} lines={shape.took} kind="line" y={took} clock height={120} />}
      </div>
    </Suspense>
  );
}

const whole = (n: number): string => (Number.isInteger(n) ? String(n) : "");

/** How full the context was after each turn of this session. */
function Fills({ fills }: { fills: { turn: number; percent: number }[] }) {
  if (fills.length < 2) return null;
  const last = fills.slice(-60);
  return (
    <div className="mt-3">
      <Sparkline of="amount" values={last.map((f) => f.percent)} label={`Context fill after the last ${last.length} turns of this session, now ${last.at(-1)!.percent} %`} />
    </div>
  );
}

function Figure({ name, value, children }: { name: string; value: string; children?: React.ReactNode }) {
  const known = value !== "not reported" && value !== "no turn yet";
  return (
    <div className="flex min-w-0 flex-col gap-1">
      <span className="text-xs text-text-3">{name}</span>
      <span className={known ? "text-lg font-semibold" : "text-md text-text-3"}>{value}</span>
      {children}
    </div>
  );
}
