import { Plus, X } from "lucide-react";
import type { Program } from "~/api/lists";
import { Button } from "~/ui/button";
import { Field, Input, Select } from "~/ui/controls";
import type { Draft, Rule } from "./draft";

const kinds = ["read", "edit", "delete", "move", "search", "execute", "think", "fetch", "other", "*"];

/** What most agents do without. */
export function Advanced({ draft, set, program, teams }: { draft: Draft; set: (part: Partial<Draft>) => void; program: Program | undefined; teams: string[] }) {
  return (
    <div className="flex flex-col gap-4 pt-3">
      <div className="grid grid-cols-2 gap-4 max-sm:grid-cols-1">
        <Field label="Model" hint="Left empty: the program's own choice">
          {(p) => <Input {...p} value={draft.model} maxLength={200} onChange={(e) => set({ model: e.target.value })} spellCheck={false} />}
        </Field>
        <Field label="Permission mode" hint={draft.mode ? "What it asks for is then up to the program" : program?.safeMode ? `Left empty: ${program.safeMode}, in which it asks` : "Left empty: the one in which it asks before it acts"}>
          {(p) => <Input {...p} value={draft.mode} maxLength={64} onChange={(e) => set({ mode: e.target.value })} spellCheck={false} />}
        </Field>
        <Field label="Team" hint="Agents of a team know of each other">
          {(p) => (
            <>
              <Input {...p} value={draft.team} maxLength={63} list="spawn-teams" onChange={(e) => set({ team: e.target.value })} spellCheck={false} />
              <datalist id="spawn-teams">
                {teams.map((t) => (
                  <option key={t} value={t} />
                ))}
              </datalist>
            </>
          )}
        </Field>
        <Field label="Title" hint="What others read of it. Left empty: its role's">
          {(p) => <Input {...p} value={draft.title} maxLength={120} onChange={(e) => set({ title: e.target.value })} />}
        </Field>
        <Field label="Rotate its session at" hint="Per cent of context fill, 10 to 95">
          {(p) => <Input {...p} inputMode="numeric" value={draft.rotateAt} onChange={(e) => set({ rotateAt: e.target.value })} placeholder="85" />}
        </Field>
      </div>
      <Rules rules={draft.rules} onChange={(rules) => set({ rules })} />
    </div>
  );
}

/** Answers to what its program asks; the first that fits decides. */
function Rules({ rules, onChange }: { rules: Rule[]; onChange: (r: Rule[]) => void }) {
  const edit = (at: number, part: Partial<Rule>) => onChange(rules.map((r, i) => (i === at ? { ...r, ...part } : r)));
  return (
    <fieldset className="flex flex-col gap-2">
      <legend className="mb-1 font-medium">Rules</legend>
      <p className="text-xs text-text-3">Answers to what its program asks before it acts. The first that fits decides; what none fits comes to you.</p>
      {rules.map((r, i) => (
        <div key={i} className="flex flex-wrap items-center gap-2">
          <Select aria-label={`Answer of rule ${i + 1}`} value={r.answer} onChange={(e) => edit(i, { answer: e.target.value as Rule["answer"] })} className="!w-24">
            <option>allow</option>
            <option>ask</option>
            <option>deny</option>
          </Select>
          <Select aria-label={`What rule ${i + 1} is for`} value={r.kind} onChange={(e) => edit(i, { kind: e.target.value })} className="!w-32">
            {kinds.map((k) => (
              <option key={k} value={k}>
                {k === "*" ? "anything" : k}
              </option>
            ))}
          </Select>
          <Input aria-label={`Pattern of rule ${i + 1}`} value={r.pattern ?? ""} onChange={(e) => edit(i, { pattern: e.target.value })} placeholder={r.kind === "execute" ? "go test" : "all, or a glob: src/**"} className="min-w-32 flex-1 font-mono !w-auto" spellCheck={false} />
          <Button look="ghost" size="sm" icon aria-label={`Remove rule ${i + 1}`} onClick={() => onChange(rules.filter((_, j) => j !== i))}>
            <X size={14} />
          </Button>
        </div>
      ))}
      <Button size="sm" className="self-start" disabled={rules.length >= 64} onClick={() => onChange([...rules, { answer: "allow", kind: "read" }])}>
        <Plus size={14} /> Add a rule
      </Button>
    </fieldset>
  );
}
