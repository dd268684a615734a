import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { api, unwrap, type Agent } from "~/api/client";
import type { components } from "~/api/schema";
import { Button } from "~/ui/button";
import { Input, Select } from "~/ui/controls";
import { Mono, Section } from "~/ui/facts";
import { Refused, Skeleton } from "~/ui/note";
import { Badge } from "~/ui/status";
import { hasEnded } from "~/lib/agent";

type Rule = components["schemas"]["Rule"];

const kinds: Record<string, string> = {
  "*": "everything",
  read: "reading",
  edit: "editing",
  delete: "deleting",
  move: "moving",
  search: "searching",
  execute: "running commands",
  think: "thinking",
  fetch: "fetching",
  other: "other tools",
};

const answers: Record<Rule["answer"], string> = {
  allow: "bg-running-soft text-running-text",
  ask: "bg-awaiting-soft text-awaiting-text",
  deny: "bg-failed-soft text-failed-text",
};

const patternOf = (kind: string) => (kind === "execute" ? "how the command begins: go test" : kind === "other" ? "name of the tool" : "glob of the path: api/**");

/** What is answered for the user when the program asks: the first rule that fits. */
export function Rules({ agent }: { agent: Agent }) {
  const queries = useQueryClient();
  const key = ["rules", agent.name];
  const path = { params: { path: { name: agent.name } } };
  const rules = useQuery({ queryKey: [...key, agent.rev], queryFn: ({ signal }) => unwrap(api.GET("/api/agents/{name}/rules", { ...path, signal })), placeholderData: (old) => old });
  const [failed, setFailed] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const [adding, setAdding] = useState(false);
  const all = rules.data?.rules ?? [];
  const save = async (next: Rule[]): Promise<boolean> => {
    setBusy(true);
    setFailed(undefined);
    try {
      const now = await unwrap(api.PUT("/api/agents/{name}/rules", { ...path, body: { rules: next } }));
      queries.setQueryData([...key, agent.rev], now);
      return true;
    } catch (cause) {
      setFailed(cause);
      return false;
    } finally {
      setBusy(false);
    }
  };
  const over = hasEnded(agent.status);
  return (
    <Section
      title="Rules"
      count={all.length}
      action={
        !over &&
        !adding && (
          <Button size="sm" look="ghost" onClick={() => setAdding(true)}>
            <Plus size={14} /> Add a rule
          </Button>
        )
      }
    >
      {rules.isPending && <Skeleton rows={2} />}
      {rules.isError && <Refused what="The rules cannot be read." cause={rules.error} />}
      {failed !== undefined && <Refused what="Not changed." cause={failed} />}
      {rules.isSuccess && all.length === 0 && <p className="text-text-2">None of its own: those of the settings hold, and what none of them answers is asked of you.</p>}
      <ol className="flex flex-col">
        {all.map((r, i) => (
          <li key={i + r.answer + r.kind + r.pattern} className="flex min-h-9 items-center gap-2 border-b border-border last:border-b-0">
            <Badge className={answers[r.answer]}>{r.answer}</Badge>
            <span className="min-w-0 flex-1 break-words">
              {kinds[r.kind] ?? r.kind} {r.pattern && <Mono>{r.pattern}</Mono>}
            </span>
            {!over && (
              <Button acts size="sm" look="ghost" icon disabled={busy} aria-label={`Remove the rule ${r.answer} ${r.kind} ${r.pattern ?? ""}`.trim()} onClick={() => void save(all.filter((_, n) => n !== i))}>
                <Trash2 size={14} />
              </Button>
            )}
          </li>
        ))}
      </ol>
      {adding && !over && <Add busy={busy} onClose={() => (setAdding(false), setFailed(undefined))} onAdd={async (r) => (await save([r, ...all])) && setAdding(false)} />}
      <p className="mt-2 text-xs text-text-3">The first that fits decides. Writes outside its scope are refused whatever stands here.</p>
    </Section>
  );
}

function Add({ busy, onAdd, onClose }: { busy: boolean; onAdd: (r: Rule) => void; onClose: () => void }) {
  const [rule, set] = useState<Rule>({ answer: "allow", kind: "execute" });
  const whole = rule.kind === "execute" && !rule.pattern && rule.answer === "allow";
  return (
    <form
      className="mt-2 flex flex-col gap-2 rounded-md border border-border bg-sunken p-3"
      onSubmit={(e) => {
        e.preventDefault();
        onAdd({ ...rule, pattern: rule.pattern?.trim() || undefined });
      }}
    >
      <div className="flex gap-2 max-sm:flex-col">
        <Select aria-label="Answer" value={rule.answer} onChange={(e) => set({ ...rule, answer: e.target.value as Rule["answer"] })} className="!w-auto">
          {(["allow", "ask", "deny"] as const).map((a) => (
            <option key={a}>{a}</option>
          ))}
        </Select>
        <Select aria-label="What" value={rule.kind} onChange={(e) => set({ ...rule, kind: e.target.value })}>
          {Object.entries(kinds).map(([k, name]) => (
            <option key={k} value={k}>
              {name}
            </option>
          ))}
        </Select>
      </div>
      {rule.kind !== "*" && <Input aria-label="Pattern" placeholder={patternOf(rule.kind)} value={rule.pattern ?? ""} maxLength={500} onChange={(e) => set({ ...rule, pattern: e.target.value })} className="font-mono !text-xs" />}
      {whole && <p className="text-xs text-awaiting-text">Without a beginning this allows every command.</p>}
      <div className="flex justify-end gap-2">
        <Button size="sm" onClick={onClose}>
          Leave it
        </Button>
        <Button acts size="sm" look="primary" type="submit" disabled={busy}>
          Add as the first
        </Button>
      </div>
    </form>
  );
}
