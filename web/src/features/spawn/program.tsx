import { useQuery } from "@tanstack/react-query";
import { Copy } from "lucide-react";
import { programsQuery, type Program } from "~/api/lists";
import { Button } from "~/ui/button";
import { Choice, Choices, Disc } from "~/ui/choice";
import { Field, Input } from "~/ui/controls";
import { Note, Refused, Skeleton } from "~/ui/note";
import { Badge } from "~/ui/status";
import { say } from "~/ui/toast";

const names: Record<string, string> = { claude: "Claude Code", codex: "Codex", gemini: "Gemini CLI", opencode: "opencode", scripted: "Script" };
export const programName = (p: string) => names[p] ?? p;

export const ready = (p: Program) => !p.problem;

/** The program that is taken where none is chosen: of the role, of the settings, the first that is there. */
export function bestProgram(all: Program[], ...wishes: (string | undefined)[]): string {
  const fit = all.filter((p) => ready(p) && p.name !== "scripted");
  for (const wish of wishes) if (wish && all.some((p) => p.name === wish && ready(p))) return wish;
  return fit[0]?.name ?? "";
}

type Props = { value: string; onChange: (p: string) => void; script: string; onScript: (s: string) => void };

export function Programs({ value, onChange, script, onScript }: Props) {
  const programs = useQuery(programsQuery);
  if (programs.isError) return <Refused what="Programs are not known." cause={programs.error} retry={<Button onClick={() => void programs.refetch()}>Try again</Button>} />;
  if (!programs.data) return <Skeleton rows={2} />;
  const all = [...programs.data].sort((a, b) => Number(a.name === "scripted") - Number(b.name === "scripted"));
  const missing = all.filter((p) => !ready(p));
  const chosen = all.find((p) => p.name === value);
  return (
    <div className="flex flex-col gap-2.5">
      <Choices aria-label="Program" value={value} onValueChange={onChange} className="flex flex-col gap-2">
        <div className="grid grid-cols-2 gap-2 max-sm:grid-cols-1">
          {all.filter(ready).map((p) => (
            <Choice key={p.name} value={p.name} label={`${programName(p.name)}, ${stateOf(p)}`} className="flex min-h-9 items-center gap-2 px-2.5 py-1.5">
              <Disc />
              <span className="min-w-0 truncate font-medium">{programName(p.name)}</span>
              {p.name === "scripted" && <span className="truncate text-xs text-text-3">plays a file</span>}
              <Badge className="ml-auto max-w-28 bg-running-soft text-running-text">
                <span className="truncate">{stateOf(p)}</span>
              </Badge>
            </Choice>
          ))}
        </div>
        {missing.length > 0 && (
          <div className="flex flex-wrap items-center gap-1.5">
            <span className="mr-1 text-xs text-text-3">To install:</span>
            {missing.map((p) => (
              <Choice key={p.name} value={p.name} label={`${programName(p.name)}, ${stateOf(p)}`} className="flex h-7 items-center px-2.5 text-text-2 max-md:h-11">
                {programName(p.name)}
              </Choice>
            ))}
          </div>
        )}
      </Choices>
      {all.every((p) => !ready(p) || p.name === "scripted") && <p className="text-xs text-awaiting-text">No agent program is installed yet: choose one to see the command for it.</p>}
      {chosen && !ready(chosen) && <Missing program={chosen} onLook={() => void programs.refetch()} />}
      {value === "scripted" && (
        <Field label="Script to play" hint="A file of this machine, from / or ~ on. No model is called, nothing is charged.">
          {(p) => <Input {...p} value={script} onChange={(e) => onScript(e.target.value)} placeholder="~/answers.yaml" className="font-mono" spellCheck={false} />}
        </Field>
      )}
    </div>
  );
}

function stateOf(p: Program): string {
  if (ready(p)) return p.name === "scripted" ? "ready" : (p.version ?? "ready");
  return p.path ? "cannot start" : "not installed";
}

function Missing({ program, onLook }: { program: Program; onLook: () => void }) {
  const command = program.problem?.fix || program.install;
  return (
    <Note
      title={
        <>
          {programName(program.name)} {stateOf(program)} <code className="font-mono text-xs font-normal">{program.problem?.kind}</code>
        </>
      }
      actions={
        <>
          {command && (
            <Button size="sm" onClick={() => void navigator.clipboard?.writeText(command).then(() => say("Copied"))}>
              <Copy size={14} /> Copy the command
            </Button>
          )}
          <Button size="sm" onClick={onLook}>
            Look again
          </Button>
        </>
      }
    >
      <p className="break-words">{program.problem?.detail}</p>
      {command && <code className="mt-1 block rounded-sm border border-border bg-surface px-2 py-1 font-mono text-xs break-all text-text">{command}</code>}
    </Note>
  );
}
