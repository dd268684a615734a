import { Link } from "@tanstack/react-router";
import { Copy, TriangleAlert } from "lucide-react";
import { useSnapshot } from "~/api/state";
import { clock } from "~/lib/time";
import { visible } from "~/lib/visible";
import { Button } from "~/ui/button";
import { Diff } from "~/ui/diff";
import { Facts as Rows } from "~/ui/facts";
import { Badge } from "~/ui/status";
import { say } from "~/ui/toast";
import type { Detail, Quote } from "./detail";

/** All that is needed to decide: words, command, paths, changes, and who says what. */
export function Facts({ detail: d, large }: { detail: Detail; large?: boolean }) {
  const peer = useSnapshot((s) => (s.peers ?? []).find((p) => p.id === d.peer)?.name) ?? (d.peerName || d.peer.slice(0, 8));
  const job = useSnapshot((s) => (s.jobs ?? []).find((j) => j.jobId === d.job)?.title);
  const agent = useSnapshot((s) => (s.agents ?? []).find((a) => a.name === d.agent));
  // A path whose change is shown stands over it.
  const paths = d.paths.filter((p) => d.outside.includes(p) || !d.diffs.some((x) => x.path === p));
  return (
    <div className="flex min-w-0 flex-col gap-3">
      {d.words.length > 0 && (
        <ol aria-label="The five words" className="grid grid-cols-5 gap-2 max-md:grid-cols-1">
          {d.words.map((w, i) => (
            <li key={i} className="rounded-lg border border-remote-line bg-remote-wash px-2 py-4 text-center text-2xl font-semibold tracking-tight break-words">
              {w}
            </li>
          ))}
        </ol>
      )}
      {d.plain && <p className="max-w-[72ch] rounded-lg border border-remote-line bg-remote-wash px-4 py-3 text-md whitespace-pre-wrap">{visible(d.plain)}</p>}
      {d.quotes.map((q, i) => (
        <Peer key={i} quote={q} peer={peer} />
      ))}
      {d.command && (
        <div className="flex items-start gap-2 rounded-md border border-border bg-sunken py-2 pr-2 pl-3">
          <pre className="min-w-0 flex-1 py-1 font-mono text-sm break-words whitespace-pre-wrap">
            <span aria-hidden className="text-text-3 select-none">$ </span>
            {visible(d.command)}
          </pre>
          <Button size="sm" look="ghost" icon aria-label="Copy the command" onClick={() => void navigator.clipboard?.writeText(d.command).then(() => say("Copied"))}>
            <Copy size={14} />
          </Button>
        </div>
      )}
      <Rows
        rows={[
          ["Agent", d.agent && <AgentLink name={d.agent} known={!!agent} />],
          ["Directory", large && agent?.dir && <span className="font-mono text-xs break-all">{agent.dir}</span>],
          ["Its scope", large && d.sort && (agent?.scope ?? []).length > 0 && <span className="font-mono text-xs break-all">{(agent?.scope ?? []).join(" ")}</span>],
          ["Job", d.job && (
            <Link to="/jobs/$job" params={{ job: d.job }} className="underline underline-offset-2">
              <bdi>{visible(job ?? d.job.slice(0, 8))}</bdi>
            </Link>
          )],
          ["Peer", peer && <bdi className="text-remote-text">{visible(peer)}</bdi>],
          ...d.facts.map(([k, v]): [string, React.ReactNode] => [k, <bdi>{visible(v)}</bdi>]),
          ["Unreviewed text", d.tainted.length > 0 ? <Badge className="bg-remote-soft text-remote-text">of {d.tainted.join(", ")}, in its context</Badge> : d.sort && large ? "None in this session" : undefined],
        ]}
      />
      {paths.length > 0 && (
        <ul aria-label="Paths" className="flex flex-col gap-1">
          {paths.map((p) => (
            <li key={p} className="flex flex-wrap items-center gap-2">
              <span className="font-mono text-xs break-all">{visible(p)}</span>
              {d.outside.includes(p) && (
                <Badge className="bg-stalled-soft text-stalled-text">
                  <TriangleAlert size={12} aria-hidden /> may lie outside its directory
                </Badge>
              )}
            </li>
          ))}
        </ul>
      )}
      {d.diffs.map((x, i) => (
        <Diff key={i} {...x} />
      ))}
      {!d.command && d.diffs.length === 0 && d.input && (
        <details open={large} className="rounded-md border border-border bg-sunken px-3 py-2">
          <summary className="cursor-pointer text-xs text-text-2">What the tool is called with</summary>
          <pre className="mt-2 max-h-80 overflow-auto font-mono text-xs break-words whitespace-pre-wrap">{visible(d.input)}</pre>
        </details>
      )}
      {d.cut && <p className="text-xs text-awaiting-text">It said more than is shown here.</p>}
    </div>
  );
}

function AgentLink({ name, known }: { name: string; known: boolean }) {
  if (!known) return <bdi>{visible(name)}</bdi>;
  return (
    <Link to="/agents/$name" params={{ name }} className="underline underline-offset-2">
      <bdi>{visible(name)}</bdi>
    </Link>
  );
}

/** A peer's words are a quote with their sender in its head. */
function Peer({ quote: q, peer }: { quote: Quote; peer: string }) {
  return (
    <figure className="overflow-hidden rounded-lg border border-remote-line bg-remote-wash">
      <figcaption className="flex items-baseline gap-1.5 bg-remote-soft px-3 py-1.5 text-remote-text">
        <bdi className="font-semibold">{visible(q.from || "a peer")}</bdi> {peer && <>on <bdi>{visible(peer)}</bdi></>}
        {q.at && <time dateTime={q.at} className="ml-auto text-xs">{clock(q.at)}</time>}
      </figcaption>
      <blockquote className="max-h-96 overflow-auto px-3 py-2 text-md break-words whitespace-pre-wrap">{visible(q.text)}</blockquote>
    </figure>
  );
}
