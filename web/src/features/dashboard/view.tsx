import { useMemo } from "react";
import { useSeries } from "~/api/usage";
import { useSnapshot } from "~/api/state";
import { remembered } from "~/lib/store";
import { isWindow, windows, type Window } from "~/lib/usage";
import { Segmented, Select } from "~/ui/controls";
import { Refused, Skeleton } from "~/ui/note";
import { Activity } from "./activity";
import { FederationCard } from "./federation";
import { Agents, Figures } from "./figures";
import { Context, Health } from "./health";
import { TeamBudget } from "./team";
import { Breakdown, TurnTimes, UsageCard } from "./usage";

const looked = remembered<Window>("dashboard.window", "24h", isWindow);
const team = remembered<string>("dashboard.team", "", (v): v is string => typeof v === "string");

const card = "col-span-12 md:col-span-6 xl:col-span-3";

const names: Record<Window, string> = { "1h": "1 h", "24h": "24 h", "7d": "7 d", "30d": "30 d" };

/** How it all stands, and what it took. */
export function DashboardView({ onSpawn, onPair }: { onSpawn: () => void; onPair: () => void }) {
  const ready = useSnapshot(() => true);
  if (!ready) return <Skeleton rows={6} />;
  return <Dashboard onSpawn={onSpawn} onPair={onPair} />;
}

function Dashboard({ onSpawn, onPair }: { onSpawn: () => void; onPair: () => void }) {
  const w = looked.use();
  const agents = useSnapshot((s) => s.agents);
  const teams = useMemo(() => [...new Set((agents ?? []).map((a) => a.team ?? "").filter(Boolean))].sort(), [agents]);
  const chosen = team.use();
  const of = teams.includes(chosen) ? chosen : "";
  const series = useSeries({ window: w, by: "program", team: of || undefined });
  return (
    <div className="min-h-0 min-w-0 flex-1 overflow-y-auto" tabIndex={0} role="region" aria-label="Dashboard">
      <div className="flex flex-col gap-3 px-5 pt-3 pb-6 max-md:px-3">
        <div className="flex flex-wrap items-center gap-2">
          <h1 className="sr-only">Dashboard</h1>
          <Segmented label="How far back" value={w} onChange={looked.set} options={windows.map((value) => ({ value, label: names[value] }))} />
          <span className="flex-1" />
          {teams.length > 0 && (
            <Select aria-label="Team" value={of} onChange={(e) => team.set(e.target.value)} className="!h-7 !w-auto max-w-48 !text-sm max-md:!h-10">
              <option value="">Team: all</option>
              {teams.map((t) => (
                <option key={t} value={t}>
                  {t}
                </option>
              ))}
            </Select>
          )}
        </div>
        {series.isError && !series.data && <Refused what="Usage cannot be read." cause={series.error} />}
        <div className="grid grid-cols-[repeat(4,minmax(0,1fr))_minmax(0,2.75fr)] gap-3 max-lg:grid-cols-4 max-md:grid-cols-2">
          <Agents team={of} />
          {series.data ? <Figures series={series.data} window={w} /> : [0, 1, 2].map((i) => <div key={i} className="min-h-[124px] rounded-lg border border-border" />)}
          <FederationCard onPair={onPair} />
        </div>
        <div className="grid grid-cols-12 gap-3">
          {of && <TeamBudget key={of} team={of} className="col-span-12" />}
          <UsageCard window={w} team={of} onSpawn={onSpawn} className="col-span-12 lg:col-span-8 2xl:col-span-6" />
          <Activity most={11} className="col-span-12 lg:col-span-4 2xl:col-span-3" />
          <TurnTimes series={series.data} className={`${card} 2xl:col-span-3`} />
          <Context team={of} className={`${card} 2xl:col-span-4`} />
          <Breakdown window={w} team={of} className={`${card} 2xl:col-span-4`} />
          <Health className={`${card} 2xl:col-span-4`} />
        </div>
      </div>
    </div>
  );
}
