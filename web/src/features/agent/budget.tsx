import { api, unwrap, type Agent } from "~/api/client";
import { putAgent } from "~/api/state";
import { hasEnded } from "~/lib/agent";
import { Budget as Bounds } from "~/ui/budget";
import { Section } from "~/ui/facts";

/** What the agent may take, and how much of that it has. When it is spent, it pauses and you are asked. */
export function Budget({ agent }: { agent: Agent }) {
  const may = !hasEnded(agent.status) && !agent.attached;
  return (
    <Bounds
      usage={agent.usage}
      turns={agent.turns}
      budget={agent.budget}
      spent="When it is spent, the agent pauses and you are asked."
      none="No bound: it may take what its work takes."
      {...(may && { save: async (body) => putAgent(await unwrap(api.POST("/api/agents/{name}/budget", { params: { path: { name: agent.name } }, body }))) })}
      frame={(action, content) => (
        <Section title="Budget" action={action}>
          {content}
        </Section>
      )}
    />
  );
}
