import { Link } from "@tanstack/react-router";
import { FolderTree } from "lucide-react";
import { useMemo } from "react";
import type { Agent } from "~/api/client";
import { useSnapshot } from "~/api/state";
import { Empty, Skeleton } from "~/ui/note";
import { StatusBadge } from "~/ui/status";

/** The directories that agents work in, and who may change what there. */
export function ProjectsView() {
  const agents = useSnapshot((s) => s.agents);
  const projects = useMemo(() => {
    const by = new Map<string, Agent[]>();
    for (const a of agents ?? []) {
      const dir = a.worktree?.repo ?? a.dir;
      by.set(dir, [...(by.get(dir) ?? []), a]);
    }
    return [...by].sort(([a], [b]) => a.localeCompare(b));
  }, [agents]);
  if (!agents) return <Skeleton />;
  if (projects.length === 0)
    return (
      <div className="flex-1">
        <Empty icon={<FolderTree size={24} />} title="No projects yet">
          A project is a directory that an agent works in. Spawn one, and it shows here with its scope.
        </Empty>
      </div>
    );
  return (
    <div className="min-h-0 flex-1 overflow-y-auto p-6">
      <div className="grid grid-cols-[repeat(auto-fill,minmax(340px,1fr))] gap-4 max-md:grid-cols-1">
        {projects.map(([dir, team]) => (
          <section key={dir} className="flex flex-col gap-2 rounded-lg border border-border p-4">
            <h2 className="font-mono text-sm break-all">{dir}</h2>
            <ul className="flex flex-col gap-2">
              {team.map((a) => (
                <li key={a.name} className="flex flex-col gap-0.5 rounded-md bg-sunken px-3 py-2">
                  <span className="flex items-center gap-2">
                    <Link to="/agents/$name" params={{ name: a.name }} className="font-semibold">
                      <bdi>{a.name}</bdi>
                    </Link>
                    <StatusBadge status={a.status} />
                    {a.worktree && <span className="ml-auto font-mono text-xs text-text-3">{a.worktree.branch}</span>}
                  </span>
                  <span className="font-mono text-xs break-all text-text-2">{(a.scope ?? []).join(" ") || "everything in its directory"}</span>
                </li>
              ))}
            </ul>
          </section>
        ))}
      </div>
    </div>
  );
}
