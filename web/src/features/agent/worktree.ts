import { useQuery } from "@tanstack/react-query";
import { api, unwrap, type Agent } from "~/api/client";
import { useAgain } from "~/api/calm";
import { hasEnded } from "~/lib/agent";

/** What stands in an agent's own worktree; undefined for one without. */
export function useWorktree(agent: Agent) {
  const all = useQuery({
    queryKey: ["worktrees"],
    queryFn: async ({ signal }) => (await unwrap(api.GET("/api/worktrees", { signal }))) ?? [],
    enabled: !!agent.worktree,
    staleTime: 0,
  });
  useAgain(all, agent.worktree && agent.turns + " " + hasEnded(agent.status));
  return all.data?.find((w) => w.agent === agent.name && w.path === agent.worktree?.path);
}
