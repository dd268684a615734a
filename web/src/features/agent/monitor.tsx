import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useMemo } from "react";
import { api, unwrap } from "~/api/client";
import type { Agent } from "~/api/client";
import { useOutput } from "~/api/output";
import { useNow } from "~/lib/now";
import { clock, span } from "~/lib/time";
import { Meter } from "~/ui/controls";
import { Facts, Section } from "~/ui/facts";
import { Refused } from "~/ui/note";
import { Sparkline } from "~/ui/sparkline";
import { fillOf, median, money, number, tokensOf, turnsOf } from "./facts";
import { Sessions } from "./sessions";

const Chart = lazy(() => import("~/ui/chart"));
import { hasEnded } from "~/lib/agent";

/** What the agent has used, and how long its turns took. What its program does not say is said to be so. */
export function Monitor({ agent }: { agent: Agent }) {
  const now = useNow();
  const u = agent.usage ?? {};
  const fill = fillOf(agent);
  const output = useOutput(agent.name, agent.created);
  const turns = useMemo(() => turnsOf(output.items), [output.items]);
  const times = useMemo(() => turns.flatMap((t) => (t.ms === undefined ? [] : [t.ms])), [turns]);
  const typical = median(times);
  return (
    <div className="min-h-0 flex-1 overflow-y-auto" tabIndex={0} aria-label="Monitor" role="region">
      <div className="mx-auto max-w-[1000px]">
        <Section>
          <div className="grid grid-cols-2 gap-x-6 gap-y-5 @container">
            <Figure name="Tokens" value={number(tokensOf(u))} />
            <Figure name="Cost" value={money(u.cost, u.currency)} />
            <Figure name="Context fill" value={fill === undefined ? "not reported" : `${fill} %`}>{fill !== undefined && <Meter percent={fill} label="Context fill" warn={fill >= 80} />}</Figure>
            <Figure name="Turn time, median" value={typical === undefined ? "no turn yet" : short(typical)}>
              {times.length > 1 && <Sparkline values={times.slice(-60)} label={`Time of the last ${Math.min(60, times.length)} turns`} />}
            </Figure>
          </div>
        </Section>
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
        <Days agent={agent} />
        <Section title="Turns" count={turns.length}>
          {output.failed !== undefined && <Refused what="The record cannot be read." cause={output.failed} />}
          <TurnTimes times={times} />
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
                      <td className="py-1.5 text-right">{t.ms === undefined ? "–" : short(t.ms)}</td>
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

const whole = (n: number): string => (Number.isInteger(n) ? String(n) : "");

/** How long the last turns took. */
function TurnTimes({ times }: { times: number[] }) {
  const [xs, ys] = useMemo(() => {
    const last = times.slice(-100);
    return [last.map((_, i) => times.length - last.length + i + 1), last];
  }, [times]);
  if (times.length < 3) return null;
  return (
    <div className="mb-3">
      <Suspense fallback={<div className="h-[140px]" />}>
        <Chart label="How long the turns took" xs={xs} ys={ys} x={whole} y={short} />
      </Suspense>
    </div>
  );
}

/** Tokens by day, of the last 30. Days without a report are gaps. */
function Days({ agent }: { agent: Agent }) {
  const days = useQuery({
    queryKey: ["usage", "day", agent.name, agent.turns],
    queryFn: async ({ signal }) => (await unwrap(api.GET("/api/usage", { params: { query: { by: "day", agent: agent.name } }, signal }))) ?? [],
    placeholderData: (old) => old,
  });
  const rows = useMemo(() => [...(days.data ?? [])].sort((a, b) => (a.key < b.key ? -1 : 1)).slice(-30), [days.data]);
  const xs = useMemo(() => rows.map((_, i) => i), [rows]);
  const ys = useMemo(() => rows.map((r) => tokensOf(r) ?? null), [rows]);
  const day = useMemo(() => (i: number) => rows[i]?.key.slice(5) ?? "", [rows]);
  if (days.isError) return <Section title="Tokens by day"><Refused what="They cannot be read." cause={days.error} /></Section>;
  if (ys.filter((n) => n !== null).length < 2) return null;
  return (
    <Section title="Tokens by day" count={rows.length}>
      <Suspense fallback={<div className="h-[140px]" />}>
        <Chart label="Tokens by day" bars xs={xs} ys={ys} x={day} y={compact} />
      </Suspense>
    </Section>
  );
}

const compact = (n: number): string => Intl.NumberFormat("en", { notation: "compact" }).format(n);
const short = (ms: number): string => (ms < 1000 ? `${Math.round(ms)} ms` : span(ms));

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
