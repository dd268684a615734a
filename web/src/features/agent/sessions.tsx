import { useQuery } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { api, unwrap, type Agent } from "~/api/client";
import { useAgain } from "~/api/calm";
import { clock } from "~/lib/time";
import { Button } from "~/ui/button";
import { Section } from "~/ui/facts";
import { Refused } from "~/ui/note";
import { sayFailed } from "~/ui/toast";
import { number } from "./facts";

/** The agent's sessions, the newest first, each to be kept as Markdown. */
export function Sessions({ agent }: { agent: Agent }) {
  const path = { name: agent.name };
  const all = useQuery({ queryKey: ["sessions", agent.name, agent.created], queryFn: async ({ signal }) => (await unwrap(api.GET("/api/agents/{name}/sessions", { params: { path }, signal }))) ?? [], staleTime: 0 });
  useAgain(all, agent.turns + (agent.sessionId ?? ""));
  const save = async (n: number) => {
    try {
      const text = (await unwrap(api.GET("/api/agents/{name}/sessions/{n}/transcript", { params: { path: { ...path, n }, query: { format: "md" } }, parseAs: "text" }))) as string;
      const at = URL.createObjectURL(new Blob([text], { type: "text/markdown" }));
      const link = Object.assign(document.createElement("a"), { href: at, download: `${agent.name}-${n}.md` });
      link.click();
      URL.revokeObjectURL(at);
    } catch (cause) {
      sayFailed("Not written", cause);
    }
  };
  const list = [...(all.data ?? [])].reverse();
  if (all.isSuccess && list.length === 0) return null;
  return (
    <Section title="Sessions" count={list.length}>
      {all.isError && <Refused what="The sessions cannot be read." cause={all.error} />}
      <ul className="flex flex-col">
        {list.slice(0, 20).map((s) => (
          <li key={s.n} className="flex min-h-9 items-center gap-3 border-b border-border last:border-b-0">
            <span className="w-5 text-text-3">{s.n}</span>
            <span className="min-w-0 flex-1 break-words">
              since {clock(s.opened)}
              {s.closed && `, to ${clock(s.closed)}`} <span className="text-text-3">· {s.turns === 1 ? "1 turn" : `${number(s.turns)} turns`}</span>
              {s.why && <span className="text-text-3"> · {s.why}</span>}
            </span>
            <Button size="sm" look="ghost" onClick={() => void save(s.n)} aria-label={`Save session ${s.n} as Markdown`}>
              <Download size={14} /> Markdown
            </Button>
          </li>
        ))}
      </ul>
    </Section>
  );
}
