import { useQuery } from "@tanstack/react-query";
import { Link as To } from "@tanstack/react-router";
import { Eye, MessageSquare, X } from "lucide-react";
import { useMemo, useState, type ReactNode } from "react";
import { api, unwrap, type Mail, type RemoteAgent } from "~/api/client";
import { useSnapshot } from "~/api/state";
import { useShortcuts } from "~/lib/keys";
import { useNow } from "~/lib/now";
import { ago } from "~/lib/time";
import { visible } from "~/lib/visible";
import { Button } from "~/ui/button";
import { Facts, Mono, Section } from "~/ui/facts";
import { Refused, Skeleton } from "~/ui/note";
import { RoleIcon } from "~/ui/role";
import { StatusBadge } from "~/ui/status";
import { linksTo, programName, roleName, traffic } from "./facts";
import { SendDialog } from "./send";

const page = 200;

/** A peer's agent: what its daemon reports of it, and what was said. Nothing here changes it. */
export function RemotePanel({ agent, close, message }: { agent: RemoteAgent; close: () => void; message: (m: Mail) => ReactNode }) {
  const now = useNow();
  const jobs = useSnapshot((s) => s.jobs);
  const links = useMemo(() => linksTo(agent.agent, agent.peer, jobs ?? []), [agent.agent, agent.peer, jobs]);
  const [writing, write] = useState(false);
  const mail = useQuery({
    queryKey: ["messages", "remote", agent.peer, agent.agent],
    queryFn: ({ signal }) => unwrap(api.GET("/api/messages", { params: { query: { agent: agent.agent, limit: page } }, signal })),
  });
  const said = useMemo(() => (mail.data?.messages ?? []).filter((m) => m.peer === agent.peer), [mail.data, agent.peer]);
  const crossed = traffic(said, agent.agent, agent.peer);
  useShortcuts([
    { keys: "m", name: "Write", run: () => links.length > 0 && write(true) },
    { keys: "Escape", name: "Up", run: close },
  ]);
  return (
    <section aria-label={`${agent.agent} on ${agent.peerName}`} className="flex min-h-0 min-w-0 flex-1 flex-col">
      <header className="flex flex-none items-start gap-3 px-4 pt-3.5 pb-3">
        <RoleIcon role={agent.role} remote size={20} />
        <div className="min-w-0 flex-1">
          <h1 className="flex items-center gap-2 text-lg">
            <bdi className="truncate">{agent.agent}</bdi> <StatusBadge status={agent.status} />
          </h1>
          <p className="truncate text-xs text-remote-text">
            Remote agent on <bdi>{visible(agent.peerName)}</bdi>
          </p>
        </div>
        <Button look="ghost" size="sm" icon aria-label="Close the panel" onClick={close}>
          <X size={16} />
        </Button>
      </header>
      <p className="flex flex-none items-center gap-2 border-y border-remote-line bg-remote-wash px-4 py-2 text-remote-text">
        <Eye size={14} aria-hidden className="flex-none" />
        <span>
          Read-only: <bdi>{visible(agent.peerName)}</bdi> decides what this agent does.
        </span>
      </p>
      <div className="min-h-0 flex-1 overflow-y-auto" tabIndex={0} role="region" aria-label="What is known of it">
        <Section>
          <Facts
            rows={[
              ["Role", <bdi>{roleName(agent.role)}</bdi>],
              ["Program", agent.program ? <bdi>{programName(agent.program)}</bdi> : "not shown"],
              ["Scope", (agent.scope ?? []).length > 0 ? <Mono>{(agent.scope ?? []).join("\n")}</Mono> : "not shown"],
              [`${agent.status.charAt(0).toUpperCase()}${agent.status.slice(1)} since`, ago(agent.since, now)],
              [
                "Reached by",
                links.length === 0 ? (
                  "nobody: no open job lists it"
                ) : (
                  <ul>
                    {links.map((l) => (
                      <li key={l.job.jobId}>
                        <bdi>{(l.leg.agents ?? []).join(", ")}</bdi> in{" "}
                        <To to="/jobs/$job" params={{ job: l.job.jobId }} className="underline underline-offset-2">
                          <bdi>{l.job.title}</bdi>
                        </To>
                      </li>
                    ))}
                  </ul>
                ),
              ],
              ["Last said", crossed.last ? ago(crossed.last, now) : "nothing yet"],
            ]}
          />
        </Section>
        <Section title="What its daemon reports">
          <p className="break-words whitespace-pre-wrap text-text-2">
            <bdi>{visible(agent.activity || agent.summary || agent.title || "Nothing but its status.")}</bdi>
          </p>
          {agent.summary && agent.activity && (
            <p className="mt-2 break-words whitespace-pre-wrap text-text-2">
              <bdi>{visible(agent.summary)}</bdi>
            </p>
          )}
          <p className="mt-2 text-xs text-text-3">
            Reported by <bdi>{visible(agent.peerName)}</bdi>, daemon <span className="font-mono">{agent.peer.slice(0, 8)}</span>, {ago(agent.seen, now)}.
          </p>
        </Section>
        <Section title="Between you" count={said.length}>
          {mail.isPending && <Skeleton rows={2} />}
          {mail.isError && <Refused what="The messages cannot be read." cause={mail.error} />}
          <Facts
            rows={[
              [`To ${agent.agent}`, String(crossed.sent)],
              [`From ${agent.agent}`, String(crossed.received)],
            ]}
          />
          {said.length > 0 && (
            <div className="mt-3 flex flex-col gap-2" role="log" aria-label="Messages with it">
              {said.slice(-30).map((m) => (
                <div key={m.direction + m.id}>{message(m)}</div>
              ))}
            </div>
          )}
        </Section>
      </div>
      {links.length > 0 && (
        <footer className="flex-none border-t border-border p-3">
          <Button look="primary" onClick={() => write(true)}>
            <MessageSquare size={16} /> Write to it
          </Button>
        </footer>
      )}
      {writing && <SendDialog links={links} to={agent.agent} onClose={() => write(false)} />}
    </section>
  );
}
