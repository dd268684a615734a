import clsx from "clsx";
import { Quote } from "lucide-react";
import { memo, useState } from "react";
import type { Mail } from "~/api/client";
import { clock } from "~/lib/time";
import { visible } from "~/lib/visible";
import { Receipt } from "~/ui/receipt";

/** A message: the user's own, another agent's, or, in orchid and never in the user's voice, a peer's. */
export const Message = memo(function Message({ mail: m, agent }: { mail: Mail; agent?: string }) {
  const mine = m.from === "user" && m.direction === "local";
  if (mine) {
    return (
      <div className="ml-auto flex w-fit max-w-[85%] flex-col items-end gap-1">
        <div className="max-w-full rounded-lg rounded-br-xs bg-inverse px-3 py-2 text-md break-words whitespace-pre-wrap text-on-inverse">
          <Long text={m.text} />
        </div>
        <Receipt mail={m} />
      </div>
    );
  }
  const peer = m.direction !== "local";
  return (
    <article className={clsx("rounded-lg border", peer ? (m.direction === "in" ? "border-remote-line bg-remote-wash" : "border-remote-line") : "border-border bg-sunken")}>
      <header className={clsx("flex flex-wrap items-center gap-x-2 rounded-t-lg px-3 py-1.5 text-xs", m.direction === "in" ? "bg-remote-soft text-remote-text" : "text-text-2")}>
        <span className="font-semibold">
          <Who name={m.from} peer={m.direction === "in" ? m.peerName : undefined} you="You" /> → <Who name={m.to} peer={m.direction === "out" ? m.peerName : undefined} you="you" />
        </span>
        <time dateTime={m.at} className="ml-auto text-text-3">
          {clock(m.at)}
        </time>
      </header>
      <div className="px-3 py-2 text-md break-words whitespace-pre-wrap">
        <Long text={m.text} />
      </div>
      {(m.attachments ?? []).map((f, i) => (
        <details key={i} className="border-t border-border px-3 py-1.5 text-xs">
          <summary className="cursor-pointer">
            <bdi>{f.name}</bdi> ({f.mediaType})
          </summary>
          <pre className="max-h-80 overflow-auto font-mono whitespace-pre-wrap">{f.text}</pre>
        </details>
      ))}
      {m.direction === "in" && (
        <footer className="flex items-center gap-1.5 px-3 pb-2 text-xs text-text-3">
          <Quote size={12} aria-hidden className="flex-none" />
          <span className="flex-1">Peer text: shown to the agent as a quote.</span>
          {m.jobId && <span className="font-mono">{m.jobId.slice(0, 8)}</span>}
        </footer>
      )}
      {(m.direction === "out" || (m.from === agent && m.direction === "local")) && (
        <footer className="px-3 pb-2">
          <Receipt mail={m} />
        </footer>
      )}
    </article>
  );
});

/** One end of a message. Each machine has a user, and one of them is looking. */
function Who({ name, peer, you }: { name: string; peer: string | undefined; you: string }) {
  if (!peer) return name === "user" ? you : <bdi>{visible(name)}</bdi>;
  return name === "user" ? (
    <>
      user of <bdi>{visible(peer)}</bdi>
    </>
  ) : (
    <>
      <bdi>{visible(name)}</bdi> on <bdi>{visible(peer)}</bdi>
    </>
  );
}

/** Agents say huge things: the beginning stands, the rest on demand. */
const long = 6_000;

export function Long({ text: said }: { text: string }) {
  const [whole, show] = useState(false);
  const text = visible(said);
  if (text.length <= long) return text;
  return (
    <>
      {whole ? <Parts text={text} /> : text.slice(0, long) + "…"}
      <button type="button" aria-expanded={whole} className="mt-1 block rounded-xs text-xs underline underline-offset-2" onClick={() => show(!whole)}>
        {whole ? "Show the beginning only" : `Show all of it (${Math.ceil(text.length / 1024).toLocaleString("en")} kB)`}
      </button>
    </>
  );
}

/** A text of any length: what is out of sight is not laid out. Its lines stay whole. */
function Parts({ text }: { text: string }) {
  return partsOf(text).map((p, i) => (
    <span key={i} className="block [contain-intrinsic-size:auto_800px] [content-visibility:auto]">
      {p}
    </span>
  ));
}

/** Cuts a text at ends of lines into parts of some 4,000 characters. */
export function partsOf(text: string): string[] {
  const out: string[] = [];
  for (let from = 0; from < text.length; ) {
    const end = text.indexOf("\n", from + 4_000);
    out.push(text.slice(from, end < 0 ? undefined : end));
    from = end < 0 ? text.length : end + 1;
  }
  return out;
}
