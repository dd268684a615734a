import { useQuery, useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "~/api/client";
import { useSnapshot } from "~/api/state";
import { useAgain, useCalm } from "~/api/calm";
import { Budget } from "~/ui/budget";
import { Card } from "./card";

/** What the agents of a team may take together, and how much of that they have. */
export function TeamBudget({ team, className }: { team: string; className?: string }) {
  const turns = useSnapshot((s) => (s.agents ?? []).map((a) => `${a.turns} ${a.status} ${a.reason ?? ""}`).join());
  const version = useCalm(turns);
  const cache = useQueryClient();
  const key = ["team", team];
  const query = useQuery({ queryKey: key, queryFn: ({ signal }) => unwrap(api.GET("/api/teams/{name}", { params: { path: { name: team } }, signal })), staleTime: 0 });
  useAgain(query, version);
  const t = query.data;
  if (!t) return null;
  return (
    <Budget
      usage={t.usage}
      turns={t.turns}
      budget={t.budget}
      spent="When it is spent, all its agents pause and you are asked. Agents that have ended count too."
      none="No bound: its agents may take together what their work takes."
      save={async (body) => void cache.setQueryData(key, await unwrap(api.POST("/api/teams/{name}/budget", { params: { path: { name: team } }, body })))}
      frame={(action, content) => (
        <Card title={<>Budget of <bdi>{t.name}</bdi></>} aside={action} className={className}>
          {content}
        </Card>
      )}
    />
  );
}
