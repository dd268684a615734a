import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Copy } from "lucide-react";
import { useState } from "react";
import { api, unwrap } from "~/api/client";
import { useNow } from "~/lib/now";
import { span } from "~/lib/time";
import { Button } from "~/ui/button";
import { Field, Input, TextArea } from "~/ui/controls";
import { Refused } from "~/ui/note";
import { Badge } from "~/ui/status";
import { say, sayFailed } from "~/ui/toast";

const key = ["pairings", "invites"];

/** An invite for somebody, and those that were made. */
export function MakeInvite() {
  const client = useQueryClient();
  const [to, setTo] = useState("");
  const [mine, setMine] = useState(false);
  const [line, setLine] = useState<string>();
  const [failed, setFailed] = useState<unknown>();
  const make = async () => {
    setFailed(undefined);
    try {
      setLine((await unwrap(api.POST("/api/federation/invites", { body: { for: to.split(/[\s,]+/).filter(Boolean), mine } }))).line);
      void client.invalidateQueries({ queryKey: key });
    } catch (cause) {
      setFailed(cause);
    }
  };
  return (
    <div className="flex flex-col gap-4">
      {line ? (
        <div className="flex flex-col gap-3">
          <p className="max-w-[68ch] text-text-2">This line is a secret, good once and for ten minutes. Bring it to the other machine by a way that you trust. Whoever holds it, at an address that it names, can pair.</p>
          <TextArea readOnly rows={4} aria-label="The invite" value={line} className="font-mono !text-xs" onFocus={(e) => e.currentTarget.select()} />
          <Button className="self-start" onClick={() => void navigator.clipboard?.writeText(line).then(() => say("Copied"))}>
            <Copy size={14} /> Copy
          </Button>
        </div>
      ) : (
        <form
          className="flex flex-col gap-4"
          onSubmit={(e) => {
            e.preventDefault();
            void make();
          }}
        >
          <Field label="Who may use it" hint="Addresses or CIDRs; any opens the gate to every source for ten minutes">
            {(p) => <Input {...p} required value={to} onChange={(e) => setTo(e.target.value)} placeholder="100.64.0.1" />}
          </Field>
          <Mine on={mine} set={setMine} />
          {failed !== undefined && <Refused what="Not made." cause={failed} />}
          <Button acts type="submit" look="primary" className="self-start" disabled={!to.trim()}>
            Make the invite
          </Button>
        </form>
      )}
      <Made />
    </div>
  );
}

function Mine({ on, set }: { on: boolean; set: (on: boolean) => void }) {
  return (
    <label className="flex items-center gap-2">
      <input type="checkbox" checked={on} onChange={(e) => set(e.target.checked)} className="size-4 accent-(--accent)" /> It is mine: jobs open without a question
    </label>
  );
}

/** Invites of the last minutes, without their secrets; an open one can be taken back. */
function Made() {
  const client = useQueryClient();
  const now = useNow();
  const made = useQuery({ queryKey: key, queryFn: ({ signal }) => unwrap(api.GET("/api/federation/invites", { signal })) });
  const all = made.data ?? [];
  if (made.isError) return <Refused what="The invites cannot be read." cause={made.error} />;
  if (all.length === 0) return null;
  const revoke = async (id: number) => {
    try {
      await unwrap(api.DELETE("/api/federation/invites/{inviteId}", { params: { path: { inviteId: id } } }));
      say("The invite is taken back");
    } catch (cause) {
      sayFailed("Not taken back", cause);
    }
    void client.invalidateQueries({ queryKey: key });
  };
  return (
    <section aria-label="Invites that were made">
      <h3 className="mb-1.5 text-sm">Made in the last 20 minutes</h3>
      <ul className="flex flex-col gap-1.5">
        {all.map((i) => (
          <li key={i.id} className="flex flex-wrap items-center gap-2 rounded-md border border-border px-3 py-1.5">
            <Badge className={i.state === "open" ? "bg-awaiting-soft text-awaiting-text" : i.state === "burned" ? "bg-failed-soft text-failed-text" : "bg-hover text-text-2"}>{i.state}</Badge>
            <span className="min-w-0 flex-1 font-mono text-xs break-words">{(i.for ?? []).join(", ")}</span>
            {i.failures > 0 && <span className="text-xs text-failed-text">{i.failures} wrong proofs; three burn it</span>}
            {i.state === "open" && (
              <>
                <span className="text-xs text-text-2">{span(Date.parse(i.expires) - now)} left</span>
                <Button acts size="sm" look="danger" onClick={() => void revoke(i.id)}>
                  Take it back
                </Button>
              </>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The other machine's invite. */
export function UseInvite({ onDone }: { onDone: () => void }) {
  const [line, setLine] = useState("");
  const [name, setName] = useState("");
  const [mine, setMine] = useState(false);
  const [failed, setFailed] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const use = async () => {
    setBusy(true);
    setFailed(undefined);
    try {
      const p = (await unwrap(api.POST("/api/federation/pair", { body: { invite: line.trim(), name: name.trim() || undefined, mine } }))) as { name?: string };
      say(`Paired${p.name ? ` with ${p.name}` : ""}`);
      onDone();
    } catch (cause) {
      setFailed(cause);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      className="flex flex-col gap-4"
      onSubmit={(e) => {
        e.preventDefault();
        void use();
      }}
    >
      <Field label="The invite" hint="One line that begins with groove1:">
        {(p) => <TextArea {...p} required rows={4} value={line} onChange={(e) => setLine(e.target.value)} className="font-mono !text-xs" />}
      </Field>
      <Field label="What to call it here" hint="If you leave it out: what it calls itself">
        {(p) => <Input {...p} maxLength={64} value={name} onChange={(e) => setName(e.target.value)} />}
      </Field>
      <Mine on={mine} set={setMine} />
      {failed !== undefined && <Refused what="Not paired." cause={failed} />}
      <Button acts type="submit" look="primary" className="self-start" disabled={busy || !line.trim()}>
        Pair
      </Button>
    </form>
  );
}
