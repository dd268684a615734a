import { Link2 } from "lucide-react";
import { useState } from "react";
import { api, unwrap, type Pairing } from "~/api/client";
import { useSnapshot } from "~/api/state";
import { gateMeans } from "~/lib/gate";
import { Button } from "~/ui/button";
import { Dialog, Field, Input, Segmented } from "~/ui/controls";
import { Note, Refused } from "~/ui/note";
import { MakeInvite, UseInvite } from "./invites";
import { UnderWay } from "./underway";

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
    <Dialog open={open} onClose={close} title="Pair a machine" wide={id ? "large" : true}>
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
      <Note>
        For five minutes the gate admits this address, and no other that is not paired.{" "}
        {gate && (
          <>
            Gate mode <b>{gate.mode}</b>: {gateMeans(gate.mode)}
            {gate.improve && (
              <>
                {" "}
                To hide it better: <code className="font-mono text-xs break-words">{gate.improve}</code>
              </>
            )}
          </>
        )}
      </Note>
      {failed !== undefined && <Refused what="Not begun." cause={failed} />}
      <Button acts type="submit" look="primary" size="lg" className="self-start" disabled={busy || !address.trim()}>
        <Link2 size={16} /> Pair
      </Button>
    </form>
  );
}
