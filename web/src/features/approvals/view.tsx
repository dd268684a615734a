import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import clsx from "clsx";
import { Inbox } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { api, unwrap, type Approval } from "~/api/client";
import { useSnapshot } from "~/api/state";
import { useShortcuts } from "~/lib/keys";
import { useNow } from "~/lib/now";
import { ago, span } from "~/lib/time";
import { Segmented } from "~/ui/controls";
import { Empty, Skeleton } from "~/ui/note";
import { ApprovalCard, kindName } from "./card";

type Which = "open" | "all";

/** One inbox for every question to the user; what is needed to decide is in view. */
export function ApprovalsView() {
  const { id } = useParams({ strict: false }) as { id?: string };
  const navigate = useNavigate();
  const [which, setWhich] = useState<Which>("open");
  const open = useSnapshot((s) => s.approvals);
  const past = useQuery({
    queryKey: ["approvals", "all"],
    enabled: which === "all",
    queryFn: ({ signal }) => unwrap(api.GET("/api/approvals", { params: { query: { all: true } }, signal })),
  });
  const list = useMemo(() => (which === "open" ? open : past.data) ?? [], [which, open, past.data]);
  const at = Math.max(0, list.findIndex((a) => a.id === id));
  const chosen = list[at];
  const go = (to: Approval | undefined) => to && void navigate({ to: "/approvals/$id", params: { id: to.id } });
  useShortcuts(
    useMemo(
      () => [
        { keys: "j", name: "Next", run: () => go(list[at + 1]) },
        { keys: "k", name: "Previous", run: () => go(list[at - 1]) },
      ],
      // eslint-disable-next-line react-hooks/exhaustive-deps
      [list, at],
    ),
  );
  if (!open) return <Skeleton />;
  return (
    <>
      <section aria-label="Questions" className={clsx("flex w-[320px] flex-none flex-col border-r border-border max-md:w-full", id && "max-md:hidden")}>
        <div className="flex h-11 flex-none items-center border-b border-border px-3">
          <Segmented<Which> label="Which" value={which} onChange={setWhich} options={[{ value: "open", label: `Open ${open.length}` }, { value: "all", label: "All" }]} />
        </div>
        <ul className="min-h-0 flex-1 overflow-y-auto">
          {list.map((a) => (
            <li key={a.id}>
              <button type="button" aria-current={a === chosen} onClick={() => go(a)} className="flex w-full flex-col gap-0.5 border-b border-border px-4 py-2.5 text-left hover:bg-hover aria-[current=true]:bg-active focus-visible:-outline-offset-2">
                <span className="line-clamp-2 font-medium break-words">
                  <bdi>{a.title}</bdi>
                </span>
                <span className="flex w-full gap-2 text-xs text-text-3">
                  {kindName(a.kind)}
                  <Left approval={a} />
                </span>
              </button>
            </li>
          ))}
        </ul>
      </section>
      <section aria-label="The question" className={clsx("min-h-0 min-w-0 flex-1 overflow-y-auto p-5", !id && "max-md:hidden")}>
        {chosen ? (
          <Timed key={chosen.id} approval={chosen} />
        ) : (
          <Empty icon={<Inbox size={24} />} title="Nothing waits for you">
            When an agent's program asks before it acts, or a peer proposes a job, the question comes here, and to <code className="font-mono">groove approvals</code>.
          </Empty>
        )}
      </section>
    </>
  );
}

function Left({ approval: a }: { approval: Approval }) {
  const now = useNow();
  if (a.state !== "open") return <span className="ml-auto">{a.state} {ago(a.answered, now)}</span>;
  const left = Date.parse(a.expires) - now;
  return <span className={clsx("ml-auto", left < 10 * 60_000 && "text-awaiting-text")}>{left > 0 ? `${span(left)} left` : "expired"}</span>;
}

/** A question may be decided by key once it was on screen for 400 ms. */
function Timed({ approval }: { approval: Approval }) {
  const [ready, set] = useState(false);
  useEffect(() => {
    const t = setTimeout(() => set(true), 400);
    return () => clearTimeout(t);
  }, []);
  return <ApprovalCard approval={approval} keys={ready} large />;
}
