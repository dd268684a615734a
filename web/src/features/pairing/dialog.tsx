import { useQuery, useQueryClient } from "@tanstack/react-query";
import clsx from "clsx";
import { Check, Copy, Link2, X } from "lucide-react";
import { useState } from "react";
import { api, unwrap, type Pairing } from "~/api/client";
import { useSnapshot } from "~/api/state";
import { useNow } from "~/lib/now";
import { span } from "~/lib/time";
import { Button } from "~/ui/button";
import { Dialog, Field, Input, Segmented, TextArea } from "~/ui/controls";
import { Note, Refused } from "~/ui/note";
import { say } from "~/ui/toast";

type Way = "words" | "invite" | "use";

/** Pairing from the browser: five words compared on both machines, or an invite. */
export function PairDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const [way, setWay] = useState<Way>("words");
  const [id, setID] = useState<string>();
  const close = () => {
    setID(undefined);
    onClose();
  };
  return (
    <Dialog open={open} onClose={close} title="Pair a machine" wide>
      {id ? (
        <UnderWay id={id} onAgain={() => setID(undefined)} onDone={close} />
      ) : (
        <div className="flex flex-col gap-4">
          <Segmented<Way>
            label="How"
            value={way}
            onChange={setWay}
            options={[
              { value: "words", label: "Compare five words" },
              { value: "invite", label: "Make an invite" },
              { value: "use", label: "Use an invite" },
            ]}
          />
          {way === "words" && <Address onBegun={setID} />}
          {way === "invite" && <MakeInvite />}
          {way === "use" && <UseInvite onDone={close} />}
        </div>
      )}
    </Dialog>
  );
}

function Address({ onBegun }: { onBegun: (id: string) => void }) {
  const gate = useSnapshot((s) => s.status.gate);
  const [address, setAddress] = useState("");
  const [name, setName] = useState("");
  const [mine, setMine] = useState(false);
  const [failed, setFailed] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const begin = async () => {
    setBusy(true);
    setFailed(undefined);
    try {
      const p = (await unwrap(api.POST("/api/federation/pair", { body: { address: address.trim(), name: name.trim() || undefined, mine } }))) as Pairing;
      if (p.id) onBegun(p.id);
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
        void begin();
      }}
    >
      <p className="max-w-[68ch] text-text-2">
        Do the same on the other machine within five minutes, with this machine's address{gate?.advertise?.length ? <> (<code className="font-mono text-xs">{gate.advertise.join(", ")}</code>)</> : ""}. Both then show five words: if they are the same, nobody stands in between.
      </p>
      <Field label="Address of the other machine" hint="A Tailscale, private or public address, or a host name; port 31416 if none is given">
        {(p) => <Input {...p} autoFocus required maxLength={300} value={address} onChange={(e) => setAddress(e.target.value)} placeholder="100.64.0.2" />}
      </Field>
      <Field label="What to call it here" hint="If you leave it out: what it calls itself">
        {(p) => <Input {...p} maxLength={64} value={name} onChange={(e) => setName(e.target.value)} />}
      </Field>
      <label className="flex items-center gap-2">
        <input type="checkbox" checked={mine} onChange={(e) => setMine(e.target.checked)} className="size-4 accent-(--accent)" /> It is mine: jobs open without a question
      </label>
      {failed !== undefined && <Refused what="Not begun." cause={failed} />}
      <Button acts type="submit" look="primary" size="lg" className="self-start" disabled={busy || !address.trim()}>
        <Link2 size={16} /> Pair
      </Button>
    </form>
  );
}

function UnderWay({ id, onAgain, onDone }: { id: string; onAgain: () => void; onDone: () => void }) {
  const client = useQueryClient();
  const pairing = useQuery({
    queryKey: ["pairings", id],
    queryFn: ({ signal }) => unwrap(api.GET("/api/federation/pair/{id}", { params: { path: { id } }, signal })),
  });
  const p = pairing.data;
  const [failed, setFailed] = useState<unknown>();
  const confirm = async (yes: boolean) => {
    if (!p?.words) return;
    setFailed(undefined);
    try {
      client.setQueryData(["pairings", id], await unwrap(api.POST("/api/federation/pair/{id}/confirm", { params: { path: { id } }, body: { yes, words: p.words.join(" ") } })));
    } catch (cause) {
      setFailed(cause);
    }
  };
  const cancel = async () => {
    try {
      await unwrap(api.DELETE("/api/federation/pair/{id}", { params: { path: { id } } }));
    } catch {
      // It has ended already.
    }
    onAgain();
  };
  if (pairing.isError) return <Refused what="The pairing cannot be followed." cause={pairing.error} retry={<Button onClick={onAgain}>Begin anew</Button>} />;
  if (!p) return null;
  return (
    <div className="flex flex-col gap-4" aria-live="polite">
      <Steps pairing={p} />
      {p.state === "dialling" && (
        <Note title={`Waiting for ${p.address ?? "the other machine"}`} actions={<Button acts onClick={() => void cancel()}>Call it off</Button>}>
          Run <code className="font-mono text-xs">groove federation pair</code> there, or use its page, with this machine's address. {p.problem && <>Until now: {p.problem.detail}.</>} <Until at={p.until} />
        </Note>
      )}
      {(p.state === "words" || p.state === "waiting") && p.words && (
        <>
          <p>
            <bdi className="font-semibold text-remote-text">{p.peerName}</bdi> shows five words too. Are they these, in this order?
          </p>
          <ol className="grid grid-cols-5 gap-2 max-md:grid-cols-1" aria-label="The five words">
            {p.words.map((w, i) => (
              <li key={i} className="rounded-lg border border-remote-line bg-remote-wash px-3 py-4 text-center text-2xl font-semibold tracking-tight">
                {w}
              </li>
            ))}
          </ol>
          {p.state === "words" ? (
            <div className="flex flex-wrap gap-2">
              <Button acts look="primary" size="lg" onClick={() => void confirm(true)}>
                <Check size={16} /> The same words
              </Button>
              <Button acts size="lg" onClick={() => void confirm(false)}>
                <X size={16} /> They differ
              </Button>
              <Until at={p.until} />
            </div>
          ) : (
            <Note>
              You said yes. It waits for the user of <bdi>{p.peerName}</bdi>. <Until at={p.until} />
            </Note>
          )}
        </>
      )}
      {p.state === "paired" && (
        <Note
          title={
            <>
              Paired with <bdi>{p.peer?.name ?? p.peerName}</bdi>
            </>
          }
          actions={
            <Button look="primary" onClick={onDone}>
              Done
            </Button>
          }
        >
          Nothing crosses yet: open a job, or spawn an agent that is connected to it.
        </Note>
      )}
      {p.state === "failed" && (
        <Note tone="failed" title={<>Not paired {p.problem && <code className="font-mono text-xs">{p.problem.kind}</code>}</>} actions={<Button onClick={onAgain}>Begin anew</Button>}>
          {p.problem?.detail} {p.problem?.fix && <>What helps: {p.problem.fix}</>}
        </Note>
      )}
      {failed !== undefined && <Refused what="Not said." cause={failed} />}
    </div>
  );
}

const order = ["dialling", "words", "waiting", "paired"] as const;
const names = ["Reach each other", "Compare five words", "Both say yes", "Paired"];

function Steps({ pairing: p }: { pairing: Pairing }) {
  const at = order.indexOf(p.state as (typeof order)[number]);
  return (
    <ol className="flex flex-wrap gap-x-6 gap-y-1 text-xs" aria-label="How far it is">
      {names.map((n, i) => (
        <li key={n} aria-current={i === at ? "step" : undefined} className={clsx("flex items-center gap-1.5", i === at ? "font-semibold" : i < at ? "text-running-text" : "text-text-3")}>
          <span aria-hidden>{i < at || p.state === "paired" ? "✓" : i + 1}</span>
          {n}
        </li>
      ))}
    </ol>
  );
}

function Until({ at }: { at?: string }) {
  const left = at ? Date.parse(at) - useNow() : 0;
  return left > 0 ? <span className="text-xs text-text-3">{span(left)} left.</span> : null;
}

function MakeInvite() {
  const [to, setTo] = useState("");
  const [line, setLine] = useState<string>();
  const [failed, setFailed] = useState<unknown>();
  const make = async () => {
    setFailed(undefined);
    try {
      setLine((await unwrap(api.POST("/api/federation/invites", { body: { for: to.split(/[\s,]+/).filter(Boolean) } }))).line);
    } catch (cause) {
      setFailed(cause);
    }
  };
  if (line)
    return (
      <div className="flex flex-col gap-3">
        <p className="max-w-[68ch] text-text-2">This line is a secret, good once and for ten minutes. Bring it to the other machine by a way that you trust.</p>
        <TextArea readOnly rows={4} aria-label="The invite" value={line} className="font-mono !text-xs" onFocus={(e) => e.currentTarget.select()} />
        <Button
          className="self-start"
          onClick={() => {
            void navigator.clipboard?.writeText(line).then(() => say("Copied"));
          }}
        >
          <Copy size={14} /> Copy
        </Button>
      </div>
    );
  return (
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
      {failed !== undefined && <Refused what="Not made." cause={failed} />}
      <Button acts type="submit" look="primary" className="self-start" disabled={!to.trim()}>
        Make the invite
      </Button>
    </form>
  );
}

function UseInvite({ onDone }: { onDone: () => void }) {
  const [line, setLine] = useState("");
  const [failed, setFailed] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const use = async () => {
    setBusy(true);
    setFailed(undefined);
    try {
      const p = (await unwrap(api.POST("/api/federation/pair", { body: { invite: line.trim() } }))) as { name?: string };
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
      {failed !== undefined && <Refused what="Not paired." cause={failed} />}
      <Button acts type="submit" look="primary" className="self-start" disabled={busy || !line.trim()}>
        Pair
      </Button>
    </form>
  );
}
