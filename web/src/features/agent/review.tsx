import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { api, unwrap, type Agent, type Mail } from "~/api/client";
import { putAgent } from "~/api/state";
import { Button } from "~/ui/button";
import { Dialog } from "~/ui/controls";
import { Refused, Skeleton } from "~/ui/note";
import { say } from "~/ui/toast";

/** Text of peers that is in the agent's context and that nobody has read yet. */
export function Review({ agent, message, onClose }: { agent: Agent; message: (m: Mail) => ReactNode; onClose: () => void }) {
  const queries = useQueryClient();
  const path = { params: { path: { name: agent.name } } };
  const text = useQuery({ queryKey: ["review", agent.name], queryFn: ({ signal }) => unwrap(api.GET("/api/agents/{name}/review", { ...path, signal })), staleTime: 0, gcTime: 0 });
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<unknown>();
  const shown = text.data;
  const read = async () => {
    if (!shown || shown.upTo < 1) return;
    setBusy(true);
    setFailed(undefined);
    try {
      putAgent(await unwrap(api.POST("/api/agents/{name}/review", { ...path, body: { upTo: shown.upTo } })));
      if (shown.more) await queries.invalidateQueries({ queryKey: ["review", agent.name] });
      else {
        say(`${agent.name} goes by its rules again`);
        onClose();
      }
    } catch (cause) {
      setFailed(cause);
    } finally {
      setBusy(false);
    }
  };
  const all = shown?.messages ?? [];
  return (
    <Dialog
      open
      wide
      onClose={onClose}
      title={`Text of ${(shown?.tainted ?? agent.tainted ?? []).join(", ") || "peers"} in ${agent.name}`}
      footer={
        <>
          <p className="mr-auto self-center text-xs text-text-3">{shown?.more ? "There is more: it comes when these are read." : "Until then its program asks you before everything."}</p>
          <Button onClick={onClose}>Later</Button>
          <Button acts look="remote" disabled={busy || !shown || shown.upTo < 1} onClick={() => void read()}>
            I have read {all.length === 1 ? "it" : `these ${all.length}`}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-3">
        {failed !== undefined && <Refused what="Not noted." cause={failed} />}
        {text.isPending && <Skeleton rows={3} />}
        {text.isError && <Refused what="It cannot be read." cause={text.error} />}
        {shown && all.length === 0 && <p className="text-text-2">Nothing waits to be reviewed.</p>}
        {all.map((m) => (
          <div key={m.direction + m.id}>{message(m)}</div>
        ))}
      </div>
    </Dialog>
  );
}
