import { useQuery } from "@tanstack/react-query";
import { Folder, GitBranch, Shield, ShieldAlert } from "lucide-react";
import { useState } from "react";
import { api, unwrap, type Agent } from "~/api/client";
import type { components } from "~/api/schema";
import { Button } from "~/ui/button";
import { Facts, Mono, Section } from "~/ui/facts";
import { Markdown } from "~/ui/markdown";
import { Note, Refused } from "~/ui/note";
import { Badge } from "~/ui/status";
import { Budget } from "./budget";
import { programName, roleName } from "./facts";
import { Rules } from "./rules";

type Worktree = components["schemas"]["AgentWorktree"];

/** How the agent is set: what it may change, who it is, and what is answered for its user. */
export function Config({ agent, worktree, onReview }: { agent: Agent; worktree: Worktree | undefined; onReview: () => void }) {
  const scope = agent.scope ?? [];
  const tainted = agent.tainted ?? [];
  return (
    <div className="min-h-0 flex-1 overflow-y-auto" tabIndex={0} aria-label="Config" role="region">
      <div className="mx-auto max-w-[1000px]">
        {tainted.length > 0 && (
          <div className="px-4 pt-4">
            <Note
              tone="remote"
              title={`Unreviewed text of ${tainted.join(", ")}`}
              actions={
                <Button size="sm" look="remote" onClick={onReview}>
                  Review it
                </Button>
              }
            >
              It is in the agent's context. Until you have read it, nothing is allowed automatically: its program asks you.
            </Note>
          </div>
        )}
        {(agent.warnings ?? []).length > 0 && (
          <div className="px-4 pt-4">
            <Note tone="awaiting" title="Said when it was spawned">
              {(agent.warnings ?? []).map((w) => (
                <p key={w} className="break-words">
                  {w}
                </p>
              ))}
            </Note>
          </div>
        )}
        <Section title="Scope">
          <ul className="flex flex-col gap-1.5">
            {(scope.length > 0 ? scope : ["**"]).map((g) => (
              <li key={g} className="flex min-h-8 items-center gap-2 rounded-md border border-border bg-sunken px-2.5 py-1">
                <Folder size={14} aria-hidden className="flex-none text-text-3" />
                <Mono>{g}</Mono>
              </li>
            ))}
          </ul>
          <p className="mt-2 text-xs text-text-3">{scope.length > 0 ? "It may change these files. Everything else it may read." : "It was given no scope: it may change all of its directory."}</p>
        </Section>
        <Section title="Where and how">
          <Facts
            rows={[
              ["Program", programName(agent.program)],
              ["Model", agent.model ? <Mono>{agent.model}</Mono> : "the program's own choice"],
              ["Mode", agent.mode ? <Mono>{agent.mode}</Mono> : "it asks before it acts"],
              ["Directory", <Mono>{agent.dir}</Mono>],
              ["Isolation", <Isolation agent={agent} worktree={worktree} />],
              ["Team", agent.team && <bdi>{agent.team}</bdi>],
              ["Attached", agent.attached && "Its program runs in a terminal of yours. It reads its inbox by its tools and cannot be woken."],
              ["Process", agent.pid ? <Mono>{agent.process + ", pid " + agent.pid}</Mono> : <Mono>{agent.process}</Mono>],
              ["Session", agent.sessionId ? <Mono>{agent.session + ", " + agent.sessionId}</Mono> : <Mono>{agent.session}</Mono>],
            ]}
          />
        </Section>
        <Role agent={agent} />
        <Rules agent={agent} />
        <Budget agent={agent} />
      </div>
    </div>
  );
}

function Isolation({ agent, worktree: w }: { agent: Agent; worktree: Worktree | undefined }) {
  return (
    <span className="flex flex-col gap-1.5">
      <span className="flex flex-wrap items-center gap-1.5">
        {agent.worktree ? (
          <Badge className="bg-sunken text-text-2">
            <GitBranch size={12} aria-hidden /> worktree
          </Badge>
        ) : (
          <Badge className="bg-sunken text-text-2">shares the directory</Badge>
        )}
        {agent.sandbox ? (
          <Badge className="bg-running-soft text-running-text">
            <Shield size={12} aria-hidden /> sandbox
          </Badge>
        ) : (
          <Badge className="bg-awaiting-soft text-awaiting-text">
            <ShieldAlert size={12} aria-hidden /> no sandbox
          </Badge>
        )}
      </span>
      {agent.worktree && <Mono>{agent.worktree.branch}</Mono>}
      {w?.problem ? (
        <span className="text-failed-text">{w.problem.detail}</span>
      ) : (
        w && (
          <span className="text-text-3">
            {w.exists ? `${w.changed} ${w.changed === 1 ? "file" : "files"} not committed, ${w.commits} ${w.commits === 1 ? "commit" : "commits"} on no other branch` : "The folder is gone."}
          </span>
        )
      )}
    </span>
  );
}

function Role({ agent }: { agent: Agent }) {
  const [open, setOpen] = useState(false);
  const role = useQuery({
    queryKey: ["role", agent.role],
    queryFn: ({ signal }) => unwrap(api.GET("/api/roles/{name}", { params: { path: { name: agent.role ?? "" } }, signal })),
    enabled: !!agent.role && open && !agent.instructions,
  });
  if (!agent.role && !agent.instructions) return <Section title="Role">It has none: no instructions but its task.</Section>;
  const text = agent.instructions || role.data?.text;
  return (
    <Section
      title="Role"
      action={
        <Button size="sm" look="ghost" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? "Hide its instructions" : "Show its instructions"}
        </Button>
      }
    >
      <p>
        <b className="font-medium">{roleName(agent.role)}</b>
        {agent.title && (
          <span className="text-text-3">
            {" "}
            · <bdi>{agent.title}</bdi>
          </span>
        )}
      </p>
      {open && role.isError && <Refused what="The role cannot be read." cause={role.error} />}
      {open && text && (
        <div className="mt-2 max-h-96 overflow-y-auto rounded-md border border-border bg-sunken px-3 py-2" tabIndex={0} role="region" aria-label="Instructions">
          <Markdown text={text} />
        </div>
      )}
    </Section>
  );
}
