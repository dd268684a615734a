import { useQuery } from "@tanstack/react-query";
import clsx from "clsx";
import { Check, Laptop, Network } from "lucide-react";
import type { ReactNode } from "react";
import { programsQuery } from "~/api/lists";
import { useSnapshot } from "~/api/state";
import { RoleIcon } from "~/ui/role";
import { StatusDot } from "~/ui/status";
import { Demo } from "./demo";
import { Act } from "./guide";
import { stepsOf } from "./steps";

type Props = { onSpawn: (role?: string) => void; onPair: () => void };

/** What groove is, and the way from nothing to two machines that work together. */
export function FirstRun({ onSpawn, onPair }: Props) {
  const here = useSnapshot((s) => s.status.name);
  const steps = useSnapshot(stepsOf) ?? [];
  const next = steps.find((s) => !s.done)?.id;
  return (
    <div className="grid min-h-0 flex-1 grid-cols-2 overflow-y-auto max-lg:grid-cols-1">
      <div className="px-12 pt-12 pb-8 max-md:px-5 max-md:pt-6">
        <h1 className="text-2xl tracking-tight">Your agents, on all your machines</h1>
        <p className="mt-2 mb-4 max-w-[60ch] text-md text-text-2 text-pretty">groove runs AI coding agents here and lets them work with those of other machines. Nothing leaves this one until you pair it with another.</p>
        <ol aria-label="First steps" className="flex flex-col">
          <Row mark={<Check size={14} />} done title="This daemon is ready">
            It is called <bdi className="font-medium text-text">{here}</bdi>.
          </Row>
          {steps.map((s, i) => (
            <Row key={s.id} mark={s.done ? <Check size={14} /> : i + 2} done={s.done} now={s.id === next} title={s.title}>
              {s.what}
              {s.id === "spawn" && !s.done && <Found />}
              {s.id === next && <Act step={s} onSpawn={onSpawn} onPair={onPair} size="lg" />}
            </Row>
          ))}
        </ol>
      </div>
      <div className="flex flex-col border-l border-border bg-remote-wash px-12 pt-12 pb-8 max-lg:border-t max-lg:border-l-0 max-md:px-5 max-md:pt-6">
        <p className="flex items-center gap-2 font-semibold text-remote-text">
          <Network size={16} aria-hidden /> Two machines, one team
        </p>
        <h2 className="mt-2 text-xl">Agents that agree across the border</h2>
        <p className="mt-1.5 mb-4 max-w-[52ch] text-text-2 text-pretty">An ambassador here speaks with agents there in a job that both users said yes to. You see each message, how far it has come, and what waits for you.</p>
        <Picture here={here ?? "this machine"} />
        <Demo onPair={onPair} />
      </div>
    </div>
  );
}

function Row({ mark, done, now, title, children }: { mark: ReactNode; done?: boolean; now?: boolean; title: string; children: ReactNode }) {
  return (
    <li aria-current={now ? "step" : undefined} className="grid grid-cols-[28px_minmax(0,1fr)] gap-x-3.5 gap-y-1 py-3">
      <span
        aria-hidden
        className={clsx("grid size-7 place-items-center rounded-full border-[1.5px] font-semibold", done ? "border-running bg-running-soft text-running-text" : now ? "border-accent bg-accent text-on-accent" : "border-border-strong text-text-2")}
      >
        {mark}
      </span>
      <b className="text-lg leading-7 font-semibold">
        {title}
        {done && <span className="sr-only">, done</span>}
      </b>
      <div className="col-start-2 text-text-2 text-pretty">{children}</div>
    </li>
  );
}

/** Which programs are here. */
function Found() {
  const programs = useQuery(programsQuery).data?.filter((p) => p.name !== "scripted" && !p.problem);
  if (!programs) return null;
  return (
    <p className="mt-1">
      {programs.length === 0 ? "No agent program is installed yet: the dialog shows the command for each." : <>Found here: {programs.map((p) => [p.name, p.version].filter(Boolean).join(" ")).join(", ")}.</>}
    </p>
  );
}

/** What it will look like: one agent here, one there, and the border between them. */
function Picture({ here }: { here: string }) {
  return (
    <div aria-hidden className="flex max-w-[460px] flex-col items-center rounded-lg border border-remote-line bg-canvas p-4">
      <div className="w-full rounded-lg border border-border bg-surface px-3 pt-2 pb-3">
        <p className="flex items-center gap-1.5 text-xs text-text-2">
          <Laptop size={14} /> <bdi>{here}</bdi>
        </p>
        <Card role="ambassador" name="ambassador-1" />
      </div>
      <span className="h-14 border-l-2 border-dashed border-remote" />
      <div className="w-full rounded-lg border border-dashed border-remote-line bg-remote-wash px-3 pt-3 pb-2">
        <Card role="backend" name="backend-1" remote />
        <p className="mt-2 flex items-center gap-1.5 text-xs text-remote-text">
          <Network size={14} /> another machine
        </p>
      </div>
    </div>
  );
}

function Card({ role, name, remote }: { role: string; name: string; remote?: boolean }) {
  return (
    <div className={clsx("mx-auto flex w-[190px] items-center gap-2 rounded-lg border px-3 py-2", remote ? "border-dashed border-remote-line bg-remote-wash" : "border-border bg-surface shadow-1")}>
      <RoleIcon role={role} remote={remote} />
      <span className="flex-1 font-semibold">{name}</span>
      <StatusDot status="running" />
    </div>
  );
}
