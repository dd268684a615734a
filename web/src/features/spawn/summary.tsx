import clsx from "clsx";
import { ArrowLeft, ArrowRight, Folder, Gauge, Handshake, PencilRuler, ShieldCheck, Tag, Timer, type LucideIcon } from "lucide-react";
import { useSnapshot } from "~/api/state";
import type { components } from "~/api/schema";
import { span } from "~/lib/time";
import { Refused } from "~/ui/note";
import { RoleIcon } from "~/ui/role";
import { StatusDot } from "~/ui/status";
import { globsOf, linkOf, positive, type Draft } from "./draft";
import { programName } from "./program";
import { useContract } from "./queries";
import { called } from "./roles";

type Preview = components["schemas"]["ContractPreview"];

/** What would come to be: the agent, and what its peer is asked for. */
export function Summary({ draft, name, program, fromRole }: { draft: Draft; name: string; program: string; fromRole: string[] }) {
  const link = linkOf(draft);
  const scope = globsOf(draft.scope).length > 0 ? globsOf(draft.scope) : fromRole;
  const contract = useContract(name, draft.role, draft.task, link);
  return (
    <div className="flex flex-col">
      <section className="p-4">
        <h3 className="mb-3">You are about to spawn</h3>
        <div className="flex items-center gap-2.5 rounded-lg border border-border bg-surface p-3 shadow-1">
          <RoleIcon role={draft.role} />
          <div className="min-w-0 flex-1">
            <b className="block truncate font-semibold">{name}</b>
            <span className="block truncate text-xs text-text-3">{[draft.role && called(draft.role), program ? programName(program) : "no program yet"].filter(Boolean).join(" · ")}</span>
          </div>
          <StatusDot status="idle" />
        </div>
        <dl className="mt-2 flex flex-col">
          {draft.dir.trim() && (
            <Fact icon={Folder} name={draft.worktree ? "Works in a copy of" : "Works in"}>
              <span className="font-mono text-xs break-all">{draft.dir.trim()}</span>
            </Fact>
          )}
          {draft.dir.trim() && (
            <Fact icon={PencilRuler} name="May change">
              {scope.length > 0 ? <span className="font-mono text-xs break-all">{scope.join("  ")}</span> : "everything in its directory"}
            </Fact>
          )}
          {positive(draft.budget) > 0 && (
            <Fact icon={Gauge} name="Pauses after">
              {draft.bound === "cost" ? `a cost of ${positive(draft.budget)}` : `${positive(draft.budget)} ${draft.bound}`}
            </Fact>
          )}
          {draft.sandbox && (
            <Fact icon={ShieldCheck} name="Sandbox">
              on
            </Fact>
          )}
        </dl>
      </section>
      {link && (
        <section className="flex flex-col gap-3 border-t border-border p-4" aria-live="polite" aria-busy={contract.isFetching}>
          {contract.isError ? <Refused what="There would be no job." cause={contract.error} /> : contract.data?.map((c) => <Contract key={c.peer} preview={c} />)}
          <p className="text-text-2">Never crosses: commands, your approvals, your keys.</p>
        </section>
      )}
    </div>
  );
}

function Contract({ preview: { contract: c, peer, peerName, words } }: { preview: Preview }) {
  const mine = useSnapshot((s) => s.peers?.find((p) => p.id === peer)?.mine);
  return (
    <article aria-label={`Contract for ${peerName}`} className="overflow-hidden rounded-lg border border-remote-line bg-remote-wash">
      <h3 className="flex items-center gap-2 px-4 pt-3 text-remote-text">
        <Handshake size={16} aria-hidden />
        <span>
          Contract for <bdi>{peerName}</bdi>
        </span>
      </h3>
      <div className="px-4 pt-2 pb-3">
        <p className="mb-1.5 text-text-2">{mine ? "It is yours too, and may say yes by itself. Asked, it shows exactly the words below." : "Its user reads exactly the words below and says yes or no."}</p>
        <dl>
          <Fact icon={Tag} name="Title" remote>
            {c.title}
          </Fact>
          <Fact icon={ArrowRight} name="Yours that may write" remote>
            {(c.openerAgents ?? []).join(", ")}
            {c.mode === "ambassador" && ", for its team"}
          </Fact>
          <Fact icon={ArrowLeft} name="Theirs that may be written to" remote>
            {(c.peerAgents ?? []).join(", ")}
          </Fact>
          <Fact icon={Timer} name="Ends" remote>
            {c.keepAlive ? "when one side ends it, or when all agents are done" : `after ${span(c.ttl * 1000)}, or when all agents are done; rests after ${span(c.idle * 1000)} of silence`}
          </Fact>
        </dl>
        <details className="mt-2" open>
          <summary className="cursor-pointer text-xs font-medium text-remote-text">As its user reads it</summary>
          <blockquote className="mt-1.5 flex flex-col gap-1.5 border-t border-remote-line pt-2 text-xs text-text-2">
            {words.split("\n").map((line, i) => (
              <p key={i} className="break-words">
                {line}
              </p>
            ))}
          </blockquote>
        </details>
      </div>
    </article>
  );
}

function Fact({ icon: Icon, name, remote, children }: { icon: LucideIcon; name: string; remote?: boolean; children: React.ReactNode }) {
  return (
    <div className="relative py-1.5 pl-6">
      <dt className="text-xs text-text-3">
        <Icon size={14} aria-hidden className={clsx("absolute top-2 left-0", remote ? "text-remote-text" : "text-text-3")} />
        {name}
      </dt>
      <dd className="break-words">
        <bdi>{children}</bdi>
      </dd>
    </div>
  );
}
