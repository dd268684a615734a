import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import clsx from "clsx";
import { Inbox } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { api, unwrap, type Approval } from "~/api/client";
import { useSnapshot } from "~/api/state";
import { useShortcuts } from "~/lib/keys";
import { nextOf } from "~/lib/link";
import { visible } from "~/lib/visible";
import { Button, Kbd } from "~/ui/button";
import { Segmented, Select } from "~/ui/controls";
import { Empty, Refused, Skeleton } from "~/ui/note";
import { Expiry } from "./expiry";
import { Decide } from "./decide";
import { read } from "./detail";
import { Facts } from "./facts";
import { Group, KindIcon, Row } from "./list";
import { sorted, together } from "./together";
import { heading, nameOf, wordsOf } from "./words";
import { NotifyHint } from "./notify";

type Which = "open" | "past";

/** One inbox for every question to the user; what is needed to decide is in view. */
export function ApprovalsView() {
  const { id } = useParams({ strict: false }) as { id?: string };
  const navigate = useNavigate();
  const [which, setWhich] = useState<Which>("open");
  const [kind, setKind] = useState("");
  const open = useSnapshot((s) => s.approvals);
  const past = usePast(which === "past");
  const all = useMemo(() => (which === "open" ? (open ?? []) : (past.data?.pages ?? []).flatMap((p) => p.all)), [which, open, past.data]);
  const kinds = useMemo(() => [...new Map(all.map((a) => [nameOf(a, read(a)), a])).keys()].sort(), [all]);
  const some = useMemo(() => all.filter((a) => !kind || nameOf(a, read(a)) === kind), [all, kind]);
  const parts = useMemo(() => (which === "open" ? sorted(some) : { single: some, groups: [] }), [which, some]);
  const list = useMemo(() => [...parts.single, ...parts.groups.flatMap((g) => g.of)], [parts]);
  const [pinned, pin] = useState<string>(); // what was shown first stays in view when it is decided elsewhere
  useEffect(() => {
    if (!id && list[0] && (!pinned || which === "past")) pin(list[0].id);
  }, [id, list, pinned, which]);
  const at = id ?? pinned ?? "";
  const chosen = useQuestion(at, list);
  const go = (to: Approval | undefined) => to && void navigate({ to: "/approvals/$id", params: { id: to.id } });
  const place = list.findIndex((a) => a.id === at);
  useShortcuts(
    useMemo(
      () => [
        { keys: "j", name: "Next", run: () => go(list[place + 1] ?? (place < 0 ? list[0] : undefined)) },
        { keys: "k", name: "Previous", run: () => go(list[place - 1]) },
      ],
      // eslint-disable-next-line react-hooks/exhaustive-deps
      [list, place],
    ),
  );
  if (!open) return <Skeleton />;
  return (
    <>
      <section aria-label="Questions" className={clsx("flex w-[352px] flex-none flex-col border-r border-border max-lg:w-[300px] max-md:w-full", id && "max-md:hidden")}>
        <div className="flex min-h-11 flex-none flex-wrap items-center gap-2 border-b border-border px-3 py-1.5">
          <Segmented<Which> label="Which" value={which} onChange={setWhich} options={[{ value: "open", label: `Waiting ${open.length}` }, { value: "past", label: "Decided" }]} />
          <Select aria-label="Kind" value={kind} onChange={(e) => setKind(e.target.value)} className="!h-7 !w-28 flex-1">
            <option value="">All kinds</option>
            {kinds.map((k) => (
              <option key={k}>{k}</option>
            ))}
          </Select>
        </div>
        <NotifyHint />
        <div className="min-h-0 flex-1 overflow-y-auto">
          {past.isError && which === "past" && <Refused what="Decided questions cannot be read." cause={past.error} />}
          {which === "past" && past.isPending && <Skeleton />}
          {parts.single.length > 0 && which === "open" && <h2 className="border-b border-border bg-sunken px-3.5 pt-2.5 pb-1.5 text-xs font-medium text-text-3">Expires first</h2>}
          {parts.single.map((a) => (
            <Row key={a.id} approval={a} current={a.id === at} onGo={go} />
          ))}
          {parts.groups.map((g) => (
            <Group key={g.name} name={g.name} of={g.of} current={at} onGo={go} />
          ))}
          {which === "past" && past.hasNextPage && (
            <Button size="sm" look="ghost" className="m-2" disabled={past.isFetchingNextPage} onClick={() => void past.fetchNextPage()}>
              Older
            </Button>
          )}
          {list.length === 0 && <p className="p-4 text-text-3">{which === "open" ? "Nothing waits for you." : past.isSuccess && "Nothing was decided yet."}</p>}
        </div>
        <p className="flex flex-none items-center gap-1 border-t border-border px-3.5 py-2 text-xs text-text-3 max-md:hidden">
          <Kbd>J</Kbd> <Kbd>K</Kbd> move <Kbd>A</Kbd> yes <Kbd>D</Kbd> no
        </p>
      </section>
      <section aria-label="The question" className={clsx("flex min-h-0 min-w-0 flex-1 flex-col", !id && "max-md:hidden")}>
        {id && (
          <button type="button" className="min-h-11 flex-none self-start px-4 text-text-2 underline underline-offset-2 md:hidden" onClick={() => void navigate({ to: "/approvals" })}>
            All questions
          </button>
        )}
        {chosen.data ? (
          <Timed key={chosen.data.id} approval={chosen.data} next={chosen.data.state !== "open" && which === "open" ? list.find((a) => a.id !== at) : undefined} onGo={go} />
        ) : chosen.error ? (
          <div className="p-5">
            <Refused what="The question cannot be shown." cause={chosen.error} />
          </div>
        ) : (
          <Empty icon={<Inbox size={24} />} title="Nothing waits for you">
            When an agent's program asks before it acts, or a peer proposes a job, the question comes here, and to <code className="font-mono">groove approvals</code>.
          </Empty>
        )}
      </section>
    </>
  );
}

/** Those that are decided, the newest first, a page at a time. */
function usePast(wanted: boolean) {
  return useInfiniteQuery({
    queryKey: ["approvals", "past"],
    enabled: wanted,
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ pageParam, signal }) => {
      const { data, response } = await api.GET("/api/approvals", { params: { query: { all: true, limit: 50, after: pageParam } }, signal });
      return { all: (data ?? []).filter((a) => a.state !== "open"), next: nextOf(response.headers.get("Link")) };
    },
    getNextPageParam: (last) => last.next,
  });
}

/** The question in view, as it is now: one that was decided elsewhere stays, and says so. */
function useQuestion(id: string, list: Approval[]): { data?: Approval; error?: unknown } {
  const listed = list.find((a) => a.id === id);
  const one = useQuery({
    queryKey: ["approvals", "one", id],
    enabled: id !== "" && !listed,
    retry: false,
    queryFn: ({ signal }) => unwrap(api.GET("/api/approvals/{id}", { params: { path: { id } }, signal })),
  });
  const [last, keep] = useState<Approval>();
  useEffect(() => {
    if (listed) keep(listed);
  }, [listed]);
  return { data: listed ?? one.data ?? (last?.id === id ? last : undefined), error: one.error ?? undefined };
}

const readable = 400;

/** A question may be decided by key once it was on screen for 400 ms. */
function Timed({ approval: a, next, onGo }: { approval: Approval; next?: Approval; onGo: (a: Approval) => void }) {
  const [ready, set] = useState(false);
  useEffect(() => {
    const t = setTimeout(() => set(true), readable);
    return () => clearTimeout(t);
  }, []);
  const detail = useMemo(() => read(a), [a]);
  const alone = useMemo(() => together(a, detail), [a, detail]);
  const remote = wordsOf(a.kind).remote;
  return (
    <article aria-label={a.title} className="flex min-h-0 flex-1 flex-col">
      <div className="min-h-0 flex-1 overflow-y-auto px-7 py-6 max-md:px-4 max-md:py-2" tabIndex={0}>
        <div className="flex max-w-3xl flex-col gap-4">
          <header className="flex items-start gap-3 max-md:flex-wrap">
            <KindIcon approval={a} sort={detail.sort} large />
            <div className="min-w-0 flex-1">
              <h1 className="text-xl break-words">
                <bdi>{visible(heading(a, detail))}</bdi>
              </h1>
              <p className="break-words text-text-2">
                {heading(a, detail) !== a.title && <bdi>{visible(a.title)}. </bdi>}
                <span className="text-xs text-text-3">
                  {nameOf(a, detail)}, <span className="font-mono">{a.id}</span>
                </span>
              </p>
            </div>
            <Expiry approval={a} />
          </header>
          <Facts detail={detail} large />
          {a.state === "open" && "alone" in alone && <p className="text-xs text-text-3">Decided by itself, never together with others: {alone.alone}.</p>}
        </div>
      </div>
      <footer className={clsx("flex-none border-t px-7 py-3 max-md:px-4", remote ? "border-remote-line" : "border-border")}>
        <div className="flex max-w-3xl flex-col gap-2">
          <Decide approval={a} detail={detail} keys={ready} large />
          {next && (
            <Button className="self-start" onClick={() => onGo(next)}>
              Next question <Kbd>J</Kbd>
            </Button>
          )}
        </div>
      </footer>
    </article>
  );
}
