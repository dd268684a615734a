import { useMutation, useQuery } from "@tanstack/react-query";
import { Check, Minus, X } from "lucide-react";
import { programsQuery, type Program } from "~/api/lists";
import { api, unwrap } from "~/api/client";
import type { components } from "~/api/schema";
import { Button } from "~/ui/button";
import { Refused, Skeleton } from "~/ui/note";
import { Badge } from "~/ui/status";

type Step = components["schemas"]["ProgramStep"];

/** Which agent programs are there, what the others need, and whether one works. */
export function Programs() {
  const programs = useQuery(programsQuery);
  if (programs.isPending) return <Skeleton />;
  if (programs.isError) return <Refused what="The programs cannot be listed." cause={programs.error} />;
  return (
    <section aria-labelledby="programs" className="flex flex-col gap-3">
      <h1 id="programs" className="text-xl">
        Programs
      </h1>
      <p className="text-text-2">groove runs them as they are, with their own log-ins. A test runs one turn that calls a tool, in an empty folder that is removed; it costs a few tokens of your model.</p>
      <ul className="flex flex-col gap-3">
        {programs.data.map((p) => (
          <One key={p.name} program={p} />
        ))}
      </ul>
    </section>
  );
}

function One({ program: p }: { program: Program }) {
  const test = useMutation({ mutationFn: () => unwrap(api.POST("/api/programs/{name}/test", { params: { path: { name: p.name } }, body: {} })) });
  const help = p.problem?.fix ?? p.install;
  return (
    <li className="flex flex-col gap-2 rounded-lg border border-border p-4">
      <div className="flex flex-wrap items-center gap-2">
        <h2 className="text-md font-semibold">
          <bdi>{p.name}</bdi>
        </h2>
        {p.problem ? <Badge className="bg-awaiting-soft text-awaiting-text">cannot be started</Badge> : <Badge className="bg-running-soft text-running-text">installed</Badge>}
        {p.version && <span className="text-xs text-text-3">{p.version}</span>}
        {!p.asks && <Badge className="bg-stalled-soft text-stalled-text">acts without asking</Badge>}
        <span className="flex-1" />
        {!p.problem && p.name !== "scripted" && (
          <Button size="sm" disabled={test.isPending} onClick={() => test.mutate()}>
            {test.isPending ? "Testing…" : "Test it"}
          </Button>
        )}
      </div>
      <p className="font-mono text-xs break-all text-text-3">{(p.path ?? (p.command ?? []).join(" ")) || "no command"}</p>
      {p.problem && (
        <p className="text-text-2">
          {p.problem.detail}.
          {help && (
            <>
              {" "}
              What helps: <code className="font-mono text-xs break-words">{help}</code>
            </>
          )}
        </p>
      )}
      {(p.notes ?? []).map((n) => (
        <p key={n} className="text-xs text-text-3">
          {n}
        </p>
      ))}
      <div aria-live="polite">
        {test.data && <Steps ok={test.data.ok} steps={test.data.steps ?? []} />}
        {test.isError && <Refused what="It could not be tested." cause={test.error} />}
      </div>
    </li>
  );
}

const marks = {
  ok: <Check size={14} className="text-running-text" aria-label="ok" />,
  failed: <X size={14} className="text-failed-text" aria-label="failed" />,
  skipped: <Minus size={14} className="text-text-3" aria-label="left out" />,
};

function Steps({ ok, steps }: { ok: boolean; steps: Step[] }) {
  return (
    <div className="rounded-md bg-sunken p-3">
      <p className="font-medium">{ok ? "It works." : "It does not work yet."}</p>
      <ol className="mt-1 flex flex-col gap-1">
        {steps.map((s) => (
          <li key={s.name} className="flex items-start gap-2">
            <span className="mt-0.5">{marks[s.result]}</span>
            <span className="w-24 flex-none">{s.name}</span>
            <span className="min-w-0 break-words text-text-2">
              {s.problem ? `${s.problem.detail}${s.problem.fix ? ` What helps: ${s.problem.fix}` : ""}` : s.detail} {s.result === "ok" && <span className="text-xs text-text-3">{s.ms} ms</span>}
            </span>
          </li>
        ))}
      </ol>
    </div>
  );
}
