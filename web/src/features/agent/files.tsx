import { useQuery } from "@tanstack/react-query";
import clsx from "clsx";
import { BookOpen, FileDiff, FilePlus, FileX, RotateCw, TriangleAlert } from "lucide-react";
import { useMemo, useState } from "react";
import { api, Refusal, unwrap, type Agent } from "~/api/client";
import type { components } from "~/api/schema";
import { useAgain } from "~/api/calm";
import { Button } from "~/ui/button";
import { Empty, Refused, Skeleton } from "~/ui/note";
import { Patch } from "~/ui/patch";
import { Badge } from "~/ui/status";

type Change = components["schemas"]["AgentChange"];

/** What is changed in the agent's directory: read anew with every turn. */
export function useChanges(agent: Agent) {
  const changes = useQuery({
    queryKey: ["changes", agent.name, agent.created],
    queryFn: ({ signal }) => unwrap(api.GET("/api/agents/{name}/changes", { params: { path: { name: agent.name } }, signal })),
    staleTime: 0,
    retry: false,
  });
  useAgain(changes, agent.turns + agent.status);
  return changes;
}

const icons = { added: FilePlus, untracked: FilePlus, deleted: FileX, modified: FileDiff };

/** The files with their changes; what lies outside the agent's scope stands apart, in rust. */
export function Files({ agent }: { agent: Agent }) {
  const changes = useChanges(agent);
  const [chosen, choose] = useState<string>();
  const [briefing, brief] = useState(false);
  const all = useMemo(() => changes.data?.files ?? [], [changes.data]);
  const inside = all.filter((f) => !f.outside);
  const outside = all.filter((f) => f.outside);
  const now = briefing ? undefined : (all.find((f) => f.path === chosen) ?? inside[0] ?? outside[0]);
  const pick = (f: Change) => {
    brief(false);
    choose(f.path);
  };
  const none = changes.error instanceof Refusal && changes.error.kind === "state.conflict" && all.length === 0;
  return (
    <div className="@container flex min-h-0 flex-1 flex-col">
      <div className="flex min-h-0 flex-1 flex-col @3xl:flex-row">
        <div className="flex max-h-[45%] flex-none flex-col overflow-y-auto border-b border-border pb-2 @3xl:max-h-none @3xl:w-[290px] @3xl:border-r @3xl:border-b-0" tabIndex={0} role="region" aria-label="Files changed">
          <h2 className="flex min-h-10 items-center gap-2 px-4 text-xs font-medium tracking-normal text-text-3">
            {changes.data?.base || all.length > 0 ? (agent.worktree ? "Changed on its branch" : "Changed in its directory") : "Files"}
            <Counts files={all} className="ml-auto" />
            <Button look="ghost" size="sm" icon aria-label="Look again" title="Look again" disabled={changes.isFetching} onClick={() => void changes.refetch()}>
              <RotateCw size={14} />
            </Button>
          </h2>
          {changes.isPending && <Skeleton rows={3} />}
          {none && <p className="px-4 pb-2 text-xs text-text-3">Its directory is in no git repository, so what changed there is not known.</p>}
          {changes.isError && !none && (
            <div className="px-4">
              <Refused what="The changes cannot be read." cause={changes.error} />
            </div>
          )}
          {changes.isSuccess && all.length === 0 && <p className="px-4 pb-2 text-xs text-text-3">Nothing: all is as it was {agent.worktree ? "where its branch began" : "committed"}.</p>}
          <List files={inside} chosen={now} onPick={pick} />
          {outside.length > 0 && (
            <>
              <h3 className="px-4 pt-3 pb-1 text-xs font-medium text-stalled-text">Out of scope</h3>
              <List files={outside} chosen={now} onPick={pick} />
              <p className="px-4 pt-1 pb-2 text-xs text-text-3">
                {agent.outsideScope ? "Found when a turn ended. A question about it waits in your approvals." : "Not covered by its scope."}
                {!agent.worktree && " Others who write to this directory are not told apart."}
              </p>
            </>
          )}
          {changes.data?.more && <p className="px-4 py-1 text-xs text-awaiting-text">There are more than are listed.</p>}
          <h3 className="px-4 pt-3 pb-1 text-xs font-medium text-text-3">Briefing</h3>
          <button
            type="button"
            aria-current={briefing}
            onClick={() => brief(true)}
            className="flex h-[30px] flex-none items-center gap-2 px-4 text-left hover:bg-hover focus-visible:-outline-offset-2 aria-[current=true]:bg-accent-soft max-md:h-11"
          >
            <BookOpen size={14} aria-hidden className="text-text-3" /> What it is told of itself
          </button>
        </div>
        <div className="flex min-h-0 min-w-0 flex-1 flex-col">{briefing ? <Briefing agent={agent} /> : now ? <OneFile key={now.path} agent={agent} file={now} /> : changes.isSuccess && <Empty title="No file to show">What the agent changes appears here with each turn that ends.</Empty>}</div>
      </div>
    </div>
  );
}

function List({ files, chosen, onPick }: { files: Change[]; chosen: Change | undefined; onPick: (f: Change) => void }) {
  return (
    <ul>
      {files.map((f) => {
        const Icon = f.outside ? TriangleAlert : icons[f.status];
        const cut = f.path.lastIndexOf("/") + 1;
        return (
          <li key={f.path}>
            <button
              type="button"
              aria-current={f === chosen}
              title={f.path}
              onClick={() => onPick(f)}
              className={clsx(
                "flex h-[30px] w-full items-center gap-2 border-l-2 px-3.5 text-left hover:bg-hover focus-visible:-outline-offset-2 aria-[current=true]:bg-accent-soft max-md:h-11",
                f.outside ? "border-stalled" : "border-transparent",
              )}
            >
              <Icon size={14} aria-hidden className={clsx("flex-none", f.outside ? "text-stalled-text" : "text-text-3")} />
              <span className="min-w-0 flex-1 truncate">
                <bdi>{f.path.slice(cut)}</bdi>
                {cut > 0 && (
                  <bdi className="ml-1.5 text-xs text-text-3">{f.path.slice(0, cut - 1)}</bdi>
                )}
              </span>
              <span className="sr-only">{f.outside ? `${f.status}, out of scope` : f.status}</span>
              <Lines file={f} />
            </button>
          </li>
        );
      })}
    </ul>
  );
}

function Lines({ file: f }: { file: Change }) {
  if (f.binary) return <span className="text-xs text-text-3">binary</span>;
  return (
    <span className="flex gap-1.5 font-mono text-xs whitespace-nowrap">
      {f.additions > 0 && <span className="text-add-text">+{f.additions}</span>}
      {f.deletions > 0 && <span className="text-del-text">−{f.deletions}</span>}
    </span>
  );
}

function Counts({ files, className }: { files: Change[]; className?: string }) {
  const added = files.reduce((n, f) => n + f.additions, 0);
  const removed = files.reduce((n, f) => n + f.deletions, 0);
  if (files.length === 0) return <span className={className} />;
  return (
    <span className={clsx("flex gap-1.5 font-mono text-xs", className)}>
      <span className="text-add-text">+{added}</span>
      <span className="text-del-text">−{removed}</span>
    </span>
  );
}

function OneFile({ agent, file }: { agent: Agent; file: Change }) {
  const diff = useQuery({
    queryKey: ["changes", agent.name, agent.created, "diff", file.path],
    queryFn: ({ signal }) => unwrap(api.GET("/api/agents/{name}/changes/diff", { params: { path: { name: agent.name }, query: { path: file.path } }, signal })),
    staleTime: 0,
    retry: false,
  });
  useAgain(diff, [agent.turns, agent.status, file.additions, file.deletions].join());
  return (
    <>
      <div className="flex min-h-11 flex-none flex-wrap items-center gap-2 border-b border-border px-4 py-1.5">
        <bdi className="min-w-0 font-mono text-xs break-all">{file.path}</bdi>
        {file.outside ? (
          <Badge className="bg-stalled-soft text-stalled-text">
            <TriangleAlert size={12} aria-hidden /> out of scope
          </Badge>
        ) : (
          <Badge className="bg-running-soft text-running-text">in scope</Badge>
        )}
        <Badge className="bg-sunken text-text-2">{file.status === "untracked" ? "new" : file.status}</Badge>
      </div>
      <div className="min-h-0 flex-1 overflow-auto" tabIndex={0} role="region" aria-label={`Change of ${file.path}`}>
        {diff.isPending && <Skeleton rows={5} />}
        {diff.isError && (
          <div className="p-4">
            <Refused what="The change cannot be read." cause={diff.error} />
          </div>
        )}
        {diff.data && <Patch diff={diff.data.diff} more={diff.data.more} />}
      </div>
    </>
  );
}

function Briefing({ agent }: { agent: Agent }) {
  const text = useQuery({
    queryKey: ["briefing", agent.name, agent.rev],
    queryFn: ({ signal }) => unwrap(api.GET("/api/agents/{name}/briefing", { params: { path: { name: agent.name } }, signal })),
    staleTime: 0,
  });
  return (
    <div className="min-h-0 flex-1 overflow-auto p-4" tabIndex={0} role="region" aria-label="Briefing">
      {text.isPending && <Skeleton rows={5} />}
      {text.isError && <Refused what="The briefing cannot be read." cause={text.error} />}
      {text.data && (
        <>
          <p className="mb-3 text-xs text-text-3">Before the first turn of a session, and again when it has changed. As it stands now:</p>
          <pre className="max-w-[80ch] font-mono text-xs leading-5 break-words whitespace-pre-wrap">{text.data.text}</pre>
        </>
      )}
    </div>
  );
}
