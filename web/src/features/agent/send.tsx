import { useId, useState } from "react";
import { api, unwrap } from "~/api/client";
import { Button } from "~/ui/button";
import { Dialog, Field, Select, TextArea } from "~/ui/controls";
import { Refused } from "~/ui/note";
import { say } from "~/ui/toast";
import type { Link } from "./facts";

/** Writes to a peer's agent as the user, through a job that lists it. */
export function SendDialog({ links, to, onClose }: { links: Link[]; to?: string; onClose: () => void }) {
  const [at, setAt] = useState(0);
  const link = links[at] ?? links[0];
  const team = link?.leg.peerAgents ?? [];
  const [agent, setAgent] = useState(to ?? team[0] ?? "");
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<unknown>();
  const form = useId();
  if (!link) return null;
  const send = async () => {
    if (!text.trim() || busy) return;
    setBusy(true);
    setFailed(undefined);
    try {
      const sent = await unwrap(api.POST("/api/federation/bridge/message", { body: { jobId: link.job.jobId, to: { agent, peer: link.leg.peer }, payload: { text } } }));
      say(`To ${agent} on ${link.leg.peerName}: ${sent.state}${sent.note ? `, ${sent.note}` : ""}`);
      onClose();
    } catch (cause) {
      setFailed(cause);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog
      open
      onClose={onClose}
      title={to ? `Write to ${to} on ${link.leg.peerName}` : `Write to ${link.leg.peerName}`}
      footer={
        <>
          <Button onClick={onClose}>Leave it</Button>
          <Button acts look="remote" type="submit" form={form} disabled={!text.trim() || busy}>
            Send as you
          </Button>
        </>
      }
    >
      <form
        id={form}
        className="flex flex-col gap-4"
        onSubmit={(e) => {
          e.preventDefault();
          void send();
        }}
      >
        {failed !== undefined && <Refused what="Not sent." cause={failed} />}
        {links.length > 1 && (
          <Field label="Job">
            {(p) => (
              <Select {...p} value={at} onChange={(e) => setAt(Number(e.target.value))}>
                {links.map((l, i) => (
                  <option key={l.job.jobId + l.leg.peer} value={i}>
                    {l.job.title} with {l.leg.peerName}
                  </option>
                ))}
              </Select>
            )}
          </Field>
        )}
        {!to && (
          <Field label="To">
            {(p) => (
              <Select {...p} value={agent} onChange={(e) => setAgent(e.target.value)}>
                {team.map((a) => (
                  <option key={a}>{a}</option>
                ))}
              </Select>
            )}
          </Field>
        )}
        <Field label="Message" hint={`It crosses to ${link.leg.peerName} through “${link.job.title}” and is stored before it is sent.`}>
          {(p) => (
            <TextArea
              {...p}
              rows={5}
              autoFocus
              maxLength={262144}
              value={text}
              onChange={(e) => setText(e.target.value)}
              onKeyDown={(e) => {
                if (e.key !== "Enter" || !(e.metaKey || e.ctrlKey)) return;
                e.preventDefault();
                void send();
              }}
            />
          )}
        </Field>
      </form>
    </Dialog>
  );
}
