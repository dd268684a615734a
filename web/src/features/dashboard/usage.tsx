import { Link } from "@tanstack/react-router";
import { ChartNoAxesColumn, Plus } from "lucide-react";
import { lazy, Suspense, useMemo, useState, type ReactNode } from "react";
import { useSeries } from "~/api/usage";
import { useSnapshot } from "~/api/state";
import { compact, money, programName, took } from "~/lib/figures";
import { bandsOf, bucketName, bucketText, costOf, currencyOf, sumsOf, timesOf, valuesOf, windowText, type Band, type By, type Group, type Series, type Window } from "~/lib/usage";
import { Button } from "~/ui/button";
import { Segmented } from "~/ui/controls";
import { Empty, Refused } from "~/ui/note";
import { Card, Share } from "./card";

const SeriesChart = lazy(() => import("~/ui/series"));

type Choice = { window: Window; team: string };

const nameOf: Record<By, (key: string) => string> = {
  agent: (k) => k,
  team: (k) => k || "no team",
  program: programName,
  job: (k) => (k ? k.slice(0, 8) : "no job"),
};

export const Waits = ({ height, children }: { height: number; children: ReactNode }) => <Suspense fallback={<div style={{ height }} />}>{children}</Suspense>;

/** Tokens by program, team or agent, and the cost so far below them. */
export function UsageCard({ window: w, team, onSpawn, className }: Choice & { onSpawn: () => void; className?: string }) {
  const [by, choose] = useState<"program" | "team" | "agent">("program");
  const q = useSeries({ window: w, by, team: team || undefined });
  const s = q.data;
  return (
    <Card
      title={s ? `Tokens ${bucketText(s)}, and cost so far` : "Tokens, and cost so far"}
      aside={
        <Segmented
          label="Tokens by"
          value={by}
          onChange={choose}
          options={[
            { value: "program", label: "Program" },
            { value: "team", label: "Team" },
            { value: "agent", label: "Agent" },
          ]}
        />
      }
      className={className}
    >
      {q.isError && !s && <Refused what="Usage cannot be read." cause={q.error} retry={<Button size="sm" onClick={() => void q.refetch()}>Try now</Button>} />}
      {s && (s.all.turns === 0 ? <NoTurn window={w} team={team} onSpawn={onSpawn} /> : <Charts series={s} name={nameOf[by]} />)}
      {!s && !q.isError && <div className="h-[320px]" />}
    </Card>
  );
}

function NoTurn({ window: w, team, onSpawn }: Choice & { onSpawn: () => void }) {
  const agents = useSnapshot((s) => (s.agents ?? []).length) ?? 0;
  return (
    <Empty
      icon={<ChartNoAxesColumn size={24} />}
      title={`No turn in ${windowText[w]}`}
      action={
        agents === 0 ? (
          <Button look="primary" onClick={onSpawn}>
            <Plus size={14} /> Spawn an agent
          </Button>
        ) : (
          <Link to="/agents" className="underline underline-offset-2">
            Write to an agent
          </Link>
        )
      }
    >
      {agents === 0 ? "Spawn an agent and give it a task: what its turns take stands here, hour by hour." : team ? "Choose a longer time, or another team." : "Choose a longer time, or give an agent something to do."}
    </Empty>
  );
}

function Charts({ series: s, name }: { series: Series; name: (key: string) => string }) {
  const { times, tokens, cost, currency } = useMemo(() => {
    const times = timesOf(s);
    const currency = currencyOf(s.all);
    return {
      times,
      tokens: bandsOf(s, name).map((b) => ({ ...b, values: valuesOf(b.group, times, s.all.tokens === undefined ? (p) => p.turns : (p) => p.tokens, 0) })),
      cost: [{ name: "Cost so far", colour: "--c-1", values: sumsOf(valuesOf(s.all, times, (p) => costOf(p, currency), 0)) }],
      currency,
    };
  }, [s, name]);
  const price = useMemo(() => (n: number) => money(n, currency), [currency]);
  const at = useMemo(() => (t: number) => bucketName(t, s), [s]);
  const width = s.bucketSeconds * 1000;
  const some = s.all.tokens !== undefined;
  const priced = currency !== undefined;
  return (
    <Waits height={320}>
      {some ? (
        <SeriesChart label={`Tokens ${bucketText(s)}: ${tokens.map((b) => `${b.name} ${compact(b.group.tokens ?? 0)}`).join(", ")}`} times={times} width={width} lines={tokens} kind="bars" y={compact} at={at} height={priced ? 200 : 300} bare={priced} />
      ) : (
        <>
          <p className="text-text-2">No program reported what its turns took. These are the turns.</p>
          <SeriesChart label={`Turns ${bucketText(s)}: ${s.all.turns} in all`} times={times} width={width} lines={tokens} kind="bars" y={whole} at={at} height={270} />
        </>
      )}
      {priced ? (
        <SeriesChart label={`Cost so far: ${money(costOf(s.all, currency), currency)}`} times={times} width={width} lines={cost} kind="area" y={price} at={at} height={98} />
      ) : (
        some && <p className="text-xs text-text-3">No program reported a cost.</p>
      )}
      <Table series={s} bands={tokens} currency={currency} />
    </Waits>
  );
}

const whole = (n: number): string => (Number.isInteger(n) ? String(n) : "");

/** The same in words, for whoever does not see the bars. */
function Table({ series: s, bands, currency }: { series: Series; bands: Band[]; currency: string | undefined }) {
  return (
    <table className="sr-only">
      <caption>Tokens and cost</caption>
      <thead>
        <tr>
          {["", "Turns", "Tokens", "Cost"].map((h) => (
            <th key={h} scope="col">
              {h}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {bands.map((b) => (
          <tr key={b.key}>
            <th scope="row">{b.name}</th>
            <td>{b.group.turns}</td>
            <td>{b.group.tokens ?? "not reported"}</td>
            <td>{money(costOf(b.group, currency), currency)}</td>
          </tr>
        ))}
        <tr>
          <th scope="row">all</th>
          <td>{s.all.turns}</td>
          <td>{s.all.tokens ?? "not reported"}</td>
          <td>{money(costOf(s.all, currency), currency)}</td>
        </tr>
      </tbody>
    </table>
  );
}

/** Who took how much of it. Where no program reports a cost, by tokens. */
export function Breakdown({ window: w, team, className }: Choice & { className?: string }) {
  const [by, choose] = useState<By>("agent");
  const peers = useSnapshot((s) => (s.peers ?? []).length) ?? 0;
  const s = useSeries({ window: w, by, team: team || undefined }).data;
  const jobs = useSnapshot((x) => x.jobs);
  const rows = useMemo(() => {
    if (!s) return [];
    const currency = currencyOf(s.all);
    const amount = (g: Group) => (currency !== undefined ? costOf(g, currency) : s.all.tokens !== undefined ? g.tokens : g.turns);
    const told = (n: number) => (currency !== undefined ? money(n, currency) : compact(n));
    const all = [...(s.groups ?? [])].sort((a, b) => (amount(b) ?? -1) - (amount(a) ?? -1) || b.turns - a.turns);
    const top = Math.max(...all.map((g) => amount(g) ?? 0), 0) || 1;
    return all.slice(0, 8).map((g) => {
      const n = amount(g);
      const title = by === "job" ? jobs?.find((j) => j.jobId === g.key)?.title : undefined;
      return { key: g.key, name: title ?? nameOf[by](g.key), part: ((n ?? 0) * 100) / top, figure: n === undefined ? "–" : told(n) };
    });
  }, [s, by, jobs]);
  const title = !s || currencyOf(s.all) !== undefined ? "Cost" : s.all.tokens !== undefined ? "Tokens" : "Turns";
  const more = (s?.groups?.length ?? 0) - rows.length;
  return (
    <Card
      title={title}
      className={className}
      aside={
        <Segmented
          label={`${title} by`}
          value={by}
          onChange={choose}
          options={[
            { value: "agent", label: "Agent" },
            { value: "team", label: "Team" },
            { value: "program", label: "Program" },
            { value: "job", label: "Job" },
          ]}
        />
      }
    >
      {rows.length === 0 && <p className="text-text-3">No turn in {windowText[w]}.</p>}
      <ul className="flex flex-col">
        {rows.map((r) => (
          <Share key={r.key} name={<bdi>{r.name}</bdi>} part={r.part} figure={r.figure} colour="--c-1" />
        ))}
      </ul>
      <p className="text-xs text-text-3">
        {more > 0 && `${more} more: groove usage --by ${by}. `}
        {peers > 0 && "Remote agents are paid for on their own machine."}
      </p>
    </Card>
  );
}

const lines = [
  { name: "median", colour: "--c-3", pick: "p50Ms" },
  { name: "95 of 100", colour: "--c-2", pick: "p95Ms" },
] as const;

/** How long turns took, the usual one and the slow one. */
export function TurnTimes({ series: s, className }: { series: Series | undefined; className?: string }) {
  const shape = useMemo(() => {
    if (!s) return undefined;
    const times = timesOf(s);
    return { times, lines: lines.map((l) => ({ name: l.name, colour: l.colour, values: valuesOf(s.all, times, (p) => p.took?.[l.pick], null) })) };
  }, [s]);
  const at = useMemo(() => (t: number) => (s ? bucketName(t, s) : ""), [s]);
  return (
    <Card title="Turn time" className={className} aside={s?.all.took && <span className="text-xs text-text-3">longest {took(s.all.took.maxMs)}</span>}>
      {s && !s.all.took && <p className="text-text-3">No turn has ended by itself in this time.</p>}
      {s?.all.took && shape && (
        <Waits height={180}>
          <SeriesChart label={`Turn time: median ${took(s.all.took.p50Ms)}, 95 of 100 within ${took(s.all.took.p95Ms)}`} times={shape.times} width={s.bucketSeconds * 1000} lines={shape.lines} kind="line" y={took} clock at={at} height={170} />
        </Waits>
      )}
    </Card>
  );
}
