import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { ChevronRight, Plus } from "lucide-react";
import { useEffect, useState, type KeyboardEvent } from "react";
import { api, unwrap, type Agent, type Snapshot } from "~/api/client";
import { favouriteQuery, programsQuery, rolesQuery, type Role } from "~/api/lists";
import { queries, useAway, useSnapshot } from "~/api/state";
import { create, remembered } from "~/lib/store";
import { Button, Kbd } from "~/ui/button";
import { Toggle } from "~/ui/choice";
import { Dialog, Field, Input, Select, TextArea } from "~/ui/controls";
import { Note, Refused } from "~/ui/note";
import { Advanced } from "./advanced";
import { Directory } from "./directory";
import { cast, empty, freeName, lacks, long, nameFault, requestOf, short, type Bound, type Draft } from "./draft";
import { Federation } from "./federation";
import { bestProgram, Programs } from "./program";
import { useFolder, useSettled, whyOf } from "./queries";
import { Roles } from "./roles";
import { Scope } from "./scope";
import { Summary } from "./summary";

const isText = (v: unknown): v is string => typeof v === "string";
const lastProgram = remembered<string>("spawn.program", "", isText);
const lastDir = remembered<string>("spawn.dir", "", isText);

/** A dialog that is closed half filled in opens as it was. */
const kept = create<Draft>({ ...empty, dir: lastDir.get() });

type Props = { open: boolean; /** what it is to begin with, "" as it was left */ role: string; onClose: () => void; onPair: () => void };

/** Everything that an agent is spawned with, and what of it others will see. */
export function SpawnDialog({ open, role: begin, onClose, onPair }: Props) {
  const draft = kept.use();
  const set = (part: Partial<Draft>) => kept.set({ ...kept.get(), ...part });
  const taken = (useSnapshot((s) => s.agents) ?? []).map((a) => a.name);
  const programs = useQuery(programsQuery);
  const favourite = useQuery(favouriteQuery);
  const role = useQuery(rolesQuery).data?.roles?.find((r) => r.name === draft.role);
  const home = useFolder("~").data?.home;
  const name = draft.name.trim() || freeName(draft.role, taken);
  const program = draft.program || bestProgram(programs.data ?? [], role?.program, favourite.data, lastProgram.get());
  const { busy, failed, warned, submit, visit } = useSpawn(onClose);
  const away = useAway();
  const wants = away ?? lacks(draft, name, program, taken);
  const firstPeer = useSnapshot((s) => s.peers?.find((p) => p.state === "active")?.id) ?? "";
  useEffect(() => {
    if (begin) set(cast(kept.get(), begin, firstPeer));
    // eslint-disable-next-line react-hooks/exhaustive-deps -- once, when it opens
  }, []);
  const go = () => {
    if (wants || busy) return;
    lastProgram.set(program);
    lastDir.set(short(long(draft.dir, home), home));
    void submit(requestOf(draft, name, program, home));
  };
  const press = (e: KeyboardEvent) => {
    if (e.key === "Enter" && (e.metaKey || e.ctrlKey)) {
      e.preventDefault();
      go();
    }
  };
  if (warned) return <Warned agent={warned} onClose={() => visit(warned)} />;
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title="Spawn an agent"
      wide="page"
      footer={
        <div className="flex w-full flex-wrap items-center justify-end gap-2">
          <p className="mr-auto min-w-0 text-xs text-text-3" role="status">
            {busy ? `${name} is being started` : wants}
          </p>
          <Button look="ghost" onClick={onClose}>
            Cancel <Kbd>Esc</Kbd>
          </Button>
          <Button look="primary" onClick={go} disabled={!!wants || busy} title={wants || undefined}>
            <Plus size={14} /> {busy ? "Starting…" : `Spawn ${name}`} <Kbd>⌘⏎</Kbd>
          </Button>
        </div>
      }
    >
      <div onKeyDown={press} className="flex min-h-0 flex-1 max-lg:block max-lg:overflow-y-auto">
        <div className="min-w-0 flex-1 lg:overflow-y-auto">
          <Form draft={draft} set={set} name={name} taken={taken} program={program} role={role} home={home} onPair={onPair} />
        </div>
        <aside aria-label="Summary" className="w-[340px] flex-none overflow-y-auto border-l border-border bg-sunken max-lg:w-auto max-lg:border-t max-lg:border-l-0">
          <Summary draft={draft} name={name} program={program} fromRole={role?.scope ?? []} />
        </aside>
      </div>
      {failed !== undefined && (
        <div className="max-h-[40%] flex-none overflow-y-auto border-t border-border p-3">
          <Refused what="Not as asked." cause={failed} retry={taken.includes(name) ? <Button onClick={() => visit({ name })}>To the page of {name}</Button> : undefined} />
        </div>
      )}
    </Dialog>
  );
}

type FormProps = { draft: Draft; set: (part: Partial<Draft>) => void; name: string; taken: string[]; program: string; role: Role | undefined; home: string | undefined; onPair: () => void };

function Form({ draft, set, name, taken, program, role, home, onPair }: FormProps) {
  const dir = long(draft.dir, home);
  const at = useSettled(dir);
  const folder = useFolder(at.startsWith("/") ? at : undefined);
  const known = folder.isPlaceholderData ? undefined : folder.data;
  const repo = !!known?.inRepo;
  const programs = useQuery(programsQuery).data ?? [];
  const teams = [...new Set((useSnapshot((s) => s.agents) ?? []).map((a) => a.team ?? "").filter(Boolean))];
  const firstPeer = useSnapshot((s) => s.peers?.find((p) => p.state === "active")?.id) ?? "";
  useEffect(() => {
    if (draft.worktree && known && !repo) set({ worktree: false });
    // eslint-disable-next-line react-hooks/exhaustive-deps -- only when the folder is another
  }, [known, repo]);
  const part = "border-t border-border px-6 py-3.5 max-md:px-4";
  const two = "grid grid-cols-2 gap-4 max-md:grid-cols-1";
  return (
    <>
      <section className="px-6 py-3.5 max-md:px-4" aria-labelledby="spawn-role">
        <h3 id="spawn-role" className="mb-2.5">
          Role
        </h3>
        <Roles value={draft.role} onChange={(r) => set(cast(draft, r?.name ?? "", firstPeer))} />
      </section>
      {draft.role === "ambassador" && <Federation draft={draft} set={set} onPair={onPair} />}
      <section className={part}>
        <Field label="What should it do?" hint="Its first prompt. Left empty, it waits for messages.">
          {(p) => <TextArea {...p} rows={3} value={draft.task} onChange={(e) => set({ task: e.target.value })} placeholder="Find why the invoice list shows wrong amounts, and fix it." />}
        </Field>
      </section>
      <section className={part + " " + two}>
        <div className="flex flex-col gap-2">
          <Field label="Name" error={draft.name.trim() ? nameFault(name, taken) : undefined} hint="How others address it">
            {(p) => <Input {...p} value={draft.name} maxLength={63} onChange={(e) => set({ name: e.target.value })} placeholder={name} className="font-mono" spellCheck={false} autoComplete="off" />}
          </Field>
          <Toggle label="Sandbox" on={draft.sandbox} onChange={(sandbox) => set({ sandbox })}>
            The kernel keeps its program to its directory and to what the program needs
          </Toggle>
        </div>
        <div className="flex flex-col gap-2">
          <Directory value={draft.dir} onChange={(dir) => set({ dir })} home={home} fault={dir && at === dir ? (at.startsWith("/") ? (folder.isError ? whyOf(folder.error) : "") : "A path from / or ~ on") : ""} />
          <Toggle label="Own worktree" on={draft.worktree} onChange={(worktree) => set({ worktree })} disabled={!repo && "The directory is in no git repository"}>
            {repo ? (
              <>
                A copy of its own, on the branch <code className="font-mono">groove/{name}</code>
              </>
            ) : (
              "Needs a directory in a git repository"
            )}
          </Toggle>
        </div>
      </section>
      <section className={part} aria-labelledby="spawn-program">
        <h3 id="spawn-program" className="mb-2.5">
          Program
        </h3>
        <Programs value={program} onChange={(program) => set({ program })} script={draft.script} onScript={(script) => set({ script })} />
      </section>
      <section className={part + " " + two}>
        <Scope value={draft.scope} onChange={(scope) => set({ scope })} dir={known ? known.path : ""} fromRole={role?.scope ?? []} worktree={draft.worktree} />
        <Budget draft={draft} set={set} />
      </section>
      {draft.role !== "ambassador" && <Federation draft={draft} set={set} onPair={onPair} />}
      <section className={part}>
        <details className="group">
          <summary className="flex cursor-pointer list-none items-center gap-1.5 font-semibold">
            <ChevronRight size={14} aria-hidden className="transition-transform group-open:rotate-90" /> Model, mode, team, rules
          </summary>
          <Advanced draft={draft} set={set} program={programs.find((p) => p.name === program)} teams={teams} />
        </details>
      </section>
    </>
  );
}

function Budget({ draft, set }: { draft: Draft; set: (part: Partial<Draft>) => void }) {
  return (
    <Field label="Budget" hint={draft.budget ? "After the turn that passes it, it pauses and asks you." : "Left empty: no limit"}>
      {(p) => (
        <div className="flex gap-2">
          <Input {...p} inputMode="decimal" value={draft.budget} onChange={(e) => set({ budget: e.target.value })} placeholder="none" />
          <Select aria-label="Unit of the budget" value={draft.bound} onChange={(e) => set({ bound: e.target.value as Bound })} className="!w-32 flex-none">
            <option value="cost">cost</option>
            <option value="tokens">tokens</option>
            <option value="turns">turns</option>
          </Select>
        </div>
      )}
    </Field>
  );
}

function Warned({ agent, onClose }: { agent: Agent; onClose: () => void }) {
  return (
    <Dialog
      open
      onClose={onClose}
      title={`${agent.name} is spawned`}
      footer={
        <Button look="primary" autoFocus onClick={onClose}>
          To its page
        </Button>
      }
    >
      <Note tone="awaiting" title="Mind this">
        <ul className="flex flex-col gap-1">
          {agent.warnings?.map((w) => (
            <li key={w} className="break-words">
              {w}
            </li>
          ))}
        </ul>
      </Note>
    </Dialog>
  );
}

/** Sends the request; what it answers is shown, on the agent's page where nothing else is to be said. */
function useSpawn(onClose: () => void) {
  const navigate = useNavigate();
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<unknown>();
  const [warned, setWarned] = useState<Agent>();
  const visit = (a: { name: string }) => {
    kept.set({ ...empty, dir: lastDir.get() });
    onClose();
    void navigate({ to: "/agents/$name", params: { name: a.name } });
  };
  const submit = async (body: ReturnType<typeof requestOf>) => {
    setBusy(true);
    setFailed(undefined);
    try {
      const agent = await unwrap(api.POST("/api/agents", { body }));
      add(agent);
      if (agent.warnings?.length) setWarned(agent);
      else visit(agent);
    } catch (cause) {
      setFailed(cause);
    } finally {
      setBusy(false);
    }
  };
  return { busy, failed, warned, submit, visit };
}

/** The page need not wait for the event that tells of it. */
function add(agent: Agent): void {
  queries.setQueryData<Snapshot>(["snapshot"], (s) => s && { ...s, agents: [...(s.agents ?? []).filter((a) => a.name !== agent.name), agent] });
}
