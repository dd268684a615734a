import { useInfiniteQuery } from "@tanstack/react-query";
import { ArrowDown, ChevronRight, CircleAlert, CircleCheck, LoaderCircle, OctagonPause, Send, Shield, Wrench, Zap } from "lucide-react";
import clsx from "clsx";
import { memo, useLayoutEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { api, unwrap, type Agent, type Approval, type Mail } from "~/api/client";
import { useOutput } from "~/api/output";
import { hasEnded } from "~/lib/agent";
import type { Item } from "~/lib/transcript";
import { visible } from "~/lib/visible";
import { Button, Kbd } from "~/ui/button";
import { Diff } from "~/ui/diff";
import { Markdown } from "~/ui/markdown";
import { Empty, Refused, Skeleton } from "~/ui/note";
import { say } from "~/ui/toast";
import { Long, Message } from "./message";

const window_ = 200;
/** So many at the end are laid out, seen or not: the view stands on their heights. */
const last = 30;

type Row = { key: string; at: string; order: number; item?: Item; mail?: Mail };

type Props = {
  agent: Agent;
  approvals: Approval[];
  approvalCard: (a: Approval) => ReactNode;
  onReview: () => void;
  onInterrupt: () => void;
};

/** What the agent said and what was said to it, in the order of time. */
export function Chat({ agent, approvals, approvalCard, onReview, onInterrupt }: Props) {
  const output = useOutput(agent.name, agent.created);
  const mail = useInfiniteQuery({
    queryKey: ["messages", "agent", agent.name],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) => unwrap(api.GET("/api/messages", { params: { query: { agent: agent.name, limit: window_, before: pageParam } }, signal })),
    getNextPageParam: (last) => last.before || undefined,
  });
  const [shown, show] = useState(window_);
  const letters = useMemo(() => (mail.data?.pages ?? []).flatMap((p) => p.messages ?? []), [mail.data]);
  const rows = useMemo(() => merge(output.items, letters), [output.items, letters]);
  const visible = rows.slice(-shown);
  const over = hasEnded(agent.status);
  const earlier = () => {
    show(shown + window_);
    if (rows.length < shown + window_ && mail.hasNextPage) void mail.fetchNextPage();
  };
  if (!output.ready || mail.isPending) return <Skeleton rows={6} />;
  const tainted = agent.tainted ?? [];
  return (
    <>
      {tainted.length > 0 && (
        <p className="flex flex-none items-center gap-2 border-b border-remote-line bg-remote-wash px-4 py-1.5 text-remote-text">
          <Shield size={14} aria-hidden className="flex-none" />
          <span className="min-w-0 flex-1">
            Text of <bdi>{tainted.join(", ")}</bdi> is not reviewed: automatic approval is off.
          </span>
          <button type="button" className="rounded-xs underline underline-offset-2 max-md:min-h-11" onClick={onReview}>
            Review
          </button>
        </p>
      )}
      <Scroller>
        {output.failed !== undefined && <Refused what="The output cannot be read." cause={output.failed} />}
        {mail.isError && <Refused what="The messages cannot be read." cause={mail.error} />}
        {(rows.length > shown || mail.hasNextPage) && (
          <Button size="sm" look="ghost" className="self-center" disabled={mail.isFetchingNextPage} onClick={earlier}>
            Show earlier{rows.length > shown && ` (${rows.length - shown})`}
          </Button>
        )}
        {rows.length === 0 && (
          <Empty title={`Nothing said yet`}>
            Write to <bdi>{agent.name}</bdi> below. It answers here, and what it does shows as it goes.
          </Empty>
        )}
        {visible.map((r, i) => (
          <OneRow key={r.key} item={r.item} mail={r.mail} agent={agent.name} last={i >= visible.length - last} />
        ))}
        {approvals.map((a) => (
          <div key={a.id}>{approvalCard(a)}</div>
        ))}
        {agent.status === "running" && <Working />}
      </Scroller>
      {over ? (
        <p className="border-t border-border px-4 py-3 text-text-3">It has ended ({agent.status}) and takes no more messages.</p>
      ) : (
        <Composer agent={agent} onInterrupt={onInterrupt} />
      )}
    </>
  );
}

/** Drawn anew only when it has changed: a conversation has thousands. */
const OneRow = memo(function OneRow({ item, mail, agent, last }: { item?: Item; mail?: Mail; agent: string; last: boolean }) {
  return <div className={clsx("mx-auto w-full max-w-[860px] min-w-0", !last && "far-off")}>{item ? <OneItem item={item} /> : mail && <Message mail={mail} agent={agent} />}</div>;
});

function Working() {
  return (
    <p className="flex items-center gap-2 text-text-3" role="status">
      <LoaderCircle size={14} className="animate-spin motion-reduce:animate-none" aria-hidden /> at work
    </p>
  );
}

/** The view follows only at the bottom. */
function Scroller({ children }: { children: ReactNode }) {
  const box = useRef<HTMLDivElement>(null);
  const was = useRef(0);
  const [atEnd, setAtEnd] = useState(true);
  useLayoutEffect(() => {
    if (atEnd && box.current) box.current.scrollTop = box.current.scrollHeight;
  });
  // Who goes up leaves the end; text that grows below does not make one leave it.
  const moved = ({ scrollHeight, scrollTop, clientHeight }: HTMLElement) => {
    if (scrollHeight - scrollTop - clientHeight < 40) setAtEnd(true);
    else if (scrollTop < was.current) setAtEnd(false);
    was.current = scrollTop;
  };
  return (
    <div className="relative flex min-h-0 flex-1 flex-col">
      <div
        ref={box}
        tabIndex={0}
        role="log"
        aria-label="Conversation"
        aria-live="off"
        onScroll={(e) => moved(e.currentTarget)}
        className="flex min-h-0 flex-1 flex-col gap-3 overflow-y-auto px-4 py-4 focus-visible:-outline-offset-2"
      >
        {children}
      </div>
      {!atEnd && (
        <Button size="sm" className="absolute bottom-2 left-1/2 -translate-x-1/2 shadow-2" onClick={() => setAtEnd(true)}>
          <ArrowDown size={14} /> To the end
        </Button>
      )}
    </div>
  );
}

/** The record and the messages as one conversation. Only what is looked at is drawn. */
export function merge(items: Item[], mail: Mail[]): Row[] {
  const rows: Row[] = [];
  items.forEach((item, order) => {
    if (item.kind === "prompt" || item.kind === "used" || (item.kind === "stop" && item.why === "end_turn")) return; // the messages themselves stand here
    rows.push({ key: "o" + item.key, at: item.at, order, item });
  });
  mail.forEach((m) => rows.push({ key: m.direction + m.id, at: m.at, order: m.pos - 1e12, mail: m }));
  // Stable: output keeps its own order, whatever two clocks of one machine say.
  return rows.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.order - b.order));
}

function OneItem({ item }: { item: Item }): ReactNode {
  switch (item.kind) {
    case "said":
      return <Said text={item.text} />;
    case "thought":
      return (
        <Fold title="Thought" quiet>
          <p className="max-w-[68ch] break-words whitespace-pre-wrap text-text-2">{item.text}</p>
        </Fold>
      );
    case "tool":
      return <ToolCall item={item} />;
    case "plan":
      return (
        <ul className="rounded-md border border-border bg-sunken px-3 py-2 text-text-2" aria-label="Plan">
          {item.entries.map((e, i) => (
            <li key={i} className={clsx("flex gap-2", e.state === "completed" && "text-text-3 line-through")}>
              <span aria-hidden>{e.state === "completed" ? "✓" : e.state === "in_progress" ? "▸" : "·"}</span>
              <span className="break-words">{e.text}</span>
            </li>
          ))}
        </ul>
      );
    case "prompt":
    case "used":
      return null;
    case "stop":
      return <p className="text-center text-xs text-text-3">Turn {item.turn} ended: {item.why.replaceAll("_", " ")}</p>;
    case "dropped":
      return <p className="text-xs text-awaiting-text">{item.text}</p>;
  }
}

function Fold({ title, children, quiet }: { title: ReactNode; children: ReactNode; quiet?: boolean }) {
  const [open, set] = useState(false);
  return (
    <div className={clsx(!quiet && "rounded-md border border-border bg-sunken")}>
      <button type="button" aria-expanded={open} onClick={() => set(!open)} className={clsx("flex w-full items-center gap-2 text-left text-text-2 hover:text-text", quiet ? "py-0.5" : "min-h-9 px-3 py-1.5")}>
        <ChevronRight size={14} aria-hidden className={clsx("flex-none transition-transform", open && "rotate-90")} />
        <span className="flex min-w-0 flex-1 items-center gap-2">{title}</span>
      </button>
      {open && <div className={clsx("flex flex-col gap-2", quiet ? "pl-5" : "border-t border-border p-3")}>{children}</div>}
    </div>
  );
}

const toolIcons = {
  pending: <Wrench size={14} aria-hidden className="flex-none text-text-3" />,
  in_progress: <LoaderCircle size={14} aria-hidden className="flex-none animate-spin text-running motion-reduce:animate-none" />,
  completed: <CircleCheck size={14} aria-hidden className="flex-none text-running" />,
  failed: <CircleAlert size={14} aria-hidden className="flex-none text-failed" />,
};

function ToolCall({ item }: { item: Extract<Item, { kind: "tool" }> }) {
  return (
    <Fold
      title={
        <>
          {toolIcons[item.state]}
          <bdi className="min-w-0 truncate font-mono text-xs">{visible(item.title)}</bdi>
          <span className="ml-auto text-xs text-text-3">{item.state === "in_progress" ? "running" : item.state}</span>
        </>
      }
    >
      {item.paths.length > 0 && <p className="font-mono text-xs break-all text-text-2">{item.paths.join("\n")}</p>}
      {item.diffs.map((d, i) => (
        <Diff key={i} path={d.path} before={d.before} after={d.after} />
      ))}
      {item.input && <pre className="max-h-60 overflow-auto font-mono text-xs whitespace-pre-wrap text-text-2">{item.input}</pre>}
      {item.text && <pre className="max-h-80 overflow-auto font-mono text-xs whitespace-pre-wrap">{item.text.slice(0, 20_000)}</pre>}
    </Fold>
  );
}

/** Over this size a text is drawn without Markdown. */
const rich = 60_000;

function Said({ text }: { text: string }) {
  if (text.length <= rich) return <Markdown text={visible(text)} />;
  return (
    <div className="max-w-[68ch] text-md break-words whitespace-pre-wrap">
      <Long text={text} />
    </div>
  );
}

function Composer({ agent, onInterrupt }: { agent: Agent; onInterrupt: () => void }) {
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<unknown>();
  const field = useRef<HTMLTextAreaElement>(null);
  const running = agent.status === "running" || agent.status === "stalled" || agent.status === "awaiting";
  const steers = running && !agent.attached;
  const send = async (now: boolean) => {
    if (!text.trim() || busy) return;
    setBusy(true);
    setFailed(undefined);
    try {
      if (now && steers) {
        const sent = await unwrap(api.POST("/api/agents/{name}/steer", { params: { path: { name: agent.name } }, body: { payload: { text } } }));
        if (sent.note) say(sent.note);
      } else await unwrap(api.POST("/api/federation/bridge/message", { body: { to: { agent: agent.name }, payload: { text } } }));
      setText("");
    } catch (cause) {
      setFailed(cause);
    } finally {
      setBusy(false);
      field.current?.focus();
    }
  };
  return (
    <form
      className="flex flex-none flex-col gap-2 border-t border-border p-3"
      onSubmit={(e) => {
        e.preventDefault();
        void send(false);
      }}
    >
      {failed !== undefined && <Refused what="Not sent." cause={failed} />}
      <div className="mx-auto flex w-full max-w-[860px] flex-col rounded-md border border-border-control bg-surface focus-within:outline-2 focus-within:outline-offset-0 focus-within:outline-focus">
        <textarea
          ref={field}
          data-composer
          aria-label={`Message to ${agent.name}`}
          value={text}
          rows={Math.min(8, Math.max(2, text.split("\n", 9).length))}
          maxLength={262144}
          placeholder={steers ? "Steer this turn, or write the next one…" : `Write to ${agent.name}…`}
          onChange={(e) => setText(e.target.value)}
          onKeyDown={(e) => {
            if (e.key === "Escape") e.currentTarget.blur();
            if (e.key !== "Enter" || e.shiftKey || e.nativeEvent.isComposing) return;
            e.preventDefault();
            void send(e.metaKey || e.ctrlKey);
          }}
          className="resize-none bg-transparent px-3 py-2 text-md outline-none placeholder:text-text-3"
        />
        <div className="flex items-center gap-1.5 p-1.5 pt-0">
          <span className="min-w-0 flex-1 truncate px-1.5 text-xs text-text-3">
            {agent.attached ? "It reads this when it looks into its inbox." : running ? "A message waits for the end of the turn." : agent.unread > 0 ? `${agent.unread} not read` : ""}
          </span>
          {steers && (
            <>
              <Button acts size="sm" look="ghost" className="!text-failed-text" title="End the turn (.)" onClick={onInterrupt}>
                <OctagonPause size={14} /> Interrupt
              </Button>
              <Button acts size="sm" title="Into the running turn, now (⌘⏎)" disabled={!text.trim() || busy} onClick={() => void send(true)}>
                <Zap size={14} /> Steer
              </Button>
            </>
          )}
          <Button acts type="submit" size="sm" look="primary" disabled={!text.trim() || busy} aria-label="Send" title={steers ? "After this turn (⏎)" : "Send (⏎)"}>
            <Send size={14} /> <Kbd>⏎</Kbd>
          </Button>
        </div>
      </div>
    </form>
  );
}
