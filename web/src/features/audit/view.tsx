import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Download, ShieldCheck, ShieldX } from "lucide-react";
import { useMemo, useState } from "react";
import { api, unwrap } from "~/api/client";
import { Button } from "~/ui/button";
import { Input, Select } from "~/ui/controls";
import { Refused, Skeleton } from "~/ui/note";
import { Badge } from "~/ui/status";

type Entry = { n: number; at: string; event: string; agent?: string; peer?: string; job?: string; kind?: string; detail?: string };

const isEntry = (v: unknown): v is Entry => typeof v === "object" && v !== null && typeof (v as Entry).n === "number";

/** The chained record of what crossed or was refused. */
export function AuditView() {
  const [find, setFind] = useState("");
  const [event, setEvent] = useState("");
  const rows = useInfiniteQuery({
    queryKey: ["audit"],
    initialPageParam: 0,
    queryFn: ({ pageParam, signal }) => unwrap(api.GET("/api/audit", { params: { query: { after: pageParam, limit: 1000 } }, signal })),
    getNextPageParam: (last) => ((last.entries?.length ?? 0) === 1000 ? last.next : undefined),
  });
  const all = useMemo(() => (rows.data?.pages ?? []).flatMap((p) => p.entries ?? []).filter(isEntry).reverse(), [rows.data]);
  const events = useMemo(() => [...new Set(all.map((e) => e.event))].sort(), [all]);
  const shown = useMemo(() => {
    const want = find.toLowerCase();
    return all.filter((e) => (!event || e.event === event) && (!want || JSON.stringify(e).toLowerCase().includes(want))).slice(0, 1000);
  }, [all, event, find]);
  const save = () => {
    const url = URL.createObjectURL(new Blob([all.slice().reverse().map((e) => JSON.stringify(e) + "\n").join("")], { type: "application/x-ndjson" }));
    const a = document.createElement("a");
    a.href = url;
    a.download = "groove-audit.jsonl";
    a.click();
    URL.revokeObjectURL(url);
  };
  if (rows.isError) return <div className="flex-1 p-5"><Refused what="The record cannot be read." cause={rows.error} /></div>;
  if (rows.isLoading) return <Skeleton rows={8} />;
  return (
    <section className="flex min-h-0 min-w-0 flex-1 flex-col" aria-label="Audit">
      <div className="flex min-h-11 flex-none flex-wrap items-center gap-2 border-b border-border px-3 py-1.5">
        <Input aria-label="Find in the record" placeholder="Find" value={find} onChange={(e) => setFind(e.target.value)} className="!h-7 !w-56" />
        <Select aria-label="Event" value={event} onChange={(e) => setEvent(e.target.value)} className="!h-7 !w-40">
          <option value="">every event</option>
          {events.map((e) => (
            <option key={e}>{e}</option>
          ))}
        </Select>
        <Chain />
        <span className="flex-1" />
        <span className="text-xs text-text-3">{shown.length} of {all.length} rows</span>
        {rows.hasNextPage && (
          <Button size="sm" look="ghost" onClick={() => void rows.fetchNextPage()} disabled={rows.isFetching}>
            Read more
          </Button>
        )}
        <Button size="sm" onClick={save}>
          <Download size={14} /> Export
        </Button>
      </div>
      <div className="min-h-0 flex-1 overflow-auto" tabIndex={0}>
        <table className="w-full border-collapse text-left">
          <thead className="sticky top-0 bg-surface text-xs text-text-3 shadow-[0_1px_0_var(--border)]">
            <tr>
              {["#", "When", "Event", "Agent", "Peer", "Job", "What"].map((h) => (
                <th key={h} scope="col" className="px-3 py-2 font-medium">
                  {h}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((e) => (
              <tr key={e.n} className="border-b border-border hover:bg-hover">
                <td className="px-3 py-1.5 text-xs text-text-3">{e.n}</td>
                <td className="px-3 py-1.5 text-xs whitespace-nowrap">{new Date(e.at).toLocaleString()}</td>
                <td className="px-3 py-1.5">{e.kind ? <Badge className="bg-failed-soft text-failed-text">{e.event}</Badge> : e.event}</td>
                <td className="px-3 py-1.5">
                  <bdi>{e.agent}</bdi>
                </td>
                <td className="px-3 py-1.5 font-mono text-xs text-remote-text">{e.peer?.slice(0, 8)}</td>
                <td className="px-3 py-1.5 font-mono text-xs">{e.job?.slice(0, 8)}</td>
                <td className="px-3 py-1.5 break-words">
                  <bdi>{[e.kind, e.detail].filter(Boolean).join(" ")}</bdi>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Chain() {
  const chain = useQuery({ queryKey: ["chain"], queryFn: ({ signal }) => unwrap(api.GET("/api/audit/verify", { signal })), retry: false });
  if (chain.isLoading) return <span className="text-xs text-text-3">checking the chain…</span>;
  if (chain.isError)
    return (
      <Badge className="bg-failed-soft text-failed-text">
        <ShieldX size={12} /> {chain.error.message}
      </Badge>
    );
  return (
    <Badge className="bg-running-soft text-running-text">
      <ShieldCheck size={12} /> Chain intact, {chain.data?.rows} rows
    </Badge>
  );
}
