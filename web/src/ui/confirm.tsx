import { useState, type ReactNode } from "react";
import { Button } from "./button";
import { Dialog } from "./controls";
import { Refused } from "./note";

export type Question = { title: string; yes: string; no?: string; text: ReactNode; act: () => Promise<unknown> };

/** Asks before something is lost. The button names what it does; a refusal stays in the dialog. */
export function Confirm({ question, onClose }: { question: Question | undefined; onClose: () => void }) {
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<unknown>();
  if (!question) return null;
  const close = () => {
    setFailed(undefined);
    onClose();
  };
  const act = async () => {
    setBusy(true);
    setFailed(undefined);
    try {
      await question.act();
      close();
    } catch (cause) {
      setFailed(cause);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog
      open
      onClose={close}
      title={question.title}
      footer={
        <>
          <Button onClick={close}>{question.no ?? "Leave it"}</Button>
          <Button acts look="danger" disabled={busy} onClick={() => void act()}>
            {question.yes}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-3">
        <div className="max-w-[68ch] text-md break-words">{question.text}</div>
        {failed !== undefined && <Refused what="Not done." cause={failed} />}
      </div>
    </Dialog>
  );
}
