import { useMemo } from "react";
import { useSnapshot } from "~/api/state";
import { compact, money, took } from "~/lib/figures";
import { costOf, currencyOf, sumsOf, timesOf, valuesOf, type Series, type Window } from "~/lib/usage";
import { Sparkline } from "~/ui/sparkline";
import { Kpi } from "./card";

const words: Record<Window, string> = { "1h": "1 h", "24h": "24 h", "7d": "7 d", "30d": "30 d" };

export function Agents({ team }: { team: string }) {
  const agents = (useSnapshot((s) => s.agents) ?? []).filter((a) => !team || a.team === team);
  const awaiting = agents.filter((a) => a.status === "awaiting").length;
  const paused = agents.filter((a) => a.reason?.startsWith("paused:")).length;
  const alive = agents.filter((a) => ["idle", "running", "awaiting", "stalled"].includes(a.status)).length;
  return (
    <Kpi title="Agents running" value={agents.filter((a) => a.status === "running").length} unit={`of ${alive}`} to={awaiting > 0 ? "/approvals" : "/agents"}>
      {awaiting > 0 && (
        <p className="text-awaiting-text">
          {awaiting} {awaiting === 1 ? "awaits" : "await"} an answer
        </p>
      )}
      {paused > 0 && <p className="text-awaiting-text">{paused} paused: budget spent</p>}
      {awaiting + paused === 0 && <p>{alive === 0 ? "none is spawned" : "nobody waits for you"}</p>}
    </Kpi>
  );
}

/** Tokens, cost and turn time of the window. */
export function Figures({ series: s, window: w }: { series: Series; window: Window }) {
  const all = s.all;
  const currency = currencyOf(all);
  const courses = useMemo(() => {
    const times = timesOf(s);
    return {
      tokens: sumsOf(valuesOf(s.all, times, (p) => p.tokens, 0)),
      cost: sumsOf(valuesOf(s.all, times, (p) => costOf(p, currency), 0)),
      took: valuesOf(s.all, times, (p) => p.took?.p50Ms, null).filter((n) => n !== null),
    };
  }, [s, currency]);
  const cost = costOf(all, currency);
  const others = (all.costs ?? []).filter((c) => c.currency !== currency);
  const [tokens, unit] = split(all.tokens);
  return (
    <>
      <Kpi title={`Tokens, ${words[w]}`} value={tokens} unit={unit} spark={all.tokens ? <Sparkline of="amount" values={courses.tokens} label="Tokens, added up" /> : undefined}>
        {told(all.reported, all.turns)}
      </Kpi>
      <Kpi title={`Cost, ${words[w]}`} value={cost === undefined ? "–" : money(cost, currency)} spark={cost ? <Sparkline of="amount" values={courses.cost} label="Cost, added up" /> : undefined}>
        {cost === undefined ? (all.turns === 0 ? "no turn yet" : "no program reported a cost") : others.length > 0 ? "and " + others.map((c) => money(c.value, c.currency)).join(", ") : "as programs report it"}
      </Kpi>
      <Kpi title="Turn time, median" value={all.took ? took(all.took.p50Ms) : "–"} spark={<Sparkline values={courses.took} label="Median turn time" />}>
        {all.took ? `95 of 100 within ${took(all.took.p95Ms)}` : "no turn has ended"}
      </Kpi>
    </>
  );
}

/** "1.94" and "M". */
function split(n: number | undefined): [string, string] {
  if (n === undefined) return ["–", ""];
  const all = /^(\S+) ?(.*)$/.exec(compact(n));
  return [all?.[1] ?? String(n), all?.[2] ?? ""];
}

function told(reported: number, turns: number): string {
  if (turns === 0) return "no turn yet";
  if (reported === 0) return `of ${turns} ${turns === 1 ? "turn" : "turns"} none reported any`;
  return reported === turns ? `in ${turns} ${turns === 1 ? "turn" : "turns"}` : `${reported} of ${turns} turns reported them`;
}
