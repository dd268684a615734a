import { useEffect, useState } from "react";
import { api, Refusal, unwrap, type Approval } from "~/api/client";
import { queries } from "~/api/state";
import { create } from "~/lib/store";

/** What this tab has decided: the daemon records an answer, not which tab gave it. */
const decided = create<ReadonlySet<string>>(new Set());

export function useDecidedHere(id: string): boolean {
  return decided.use().has(id);
}

/** Somebody else's answer, or time, came first. */
export function tooLate(cause: unknown): boolean {
  return cause instanceof Refusal && (cause.kind === "approval.answered" || cause.kind === "approval.expired");
}

export async function say(a: Approval, yes: boolean, more: { option?: string; remember?: boolean } = {}): Promise<Approval> {
  const now = await unwrap(api.POST("/api/approvals/{id}", { params: { path: { id: a.id } }, body: { answer: yes ? "approve" : "reject", ...more } }));
  decided.set(new Set([...decided.get(), a.id]));
  queries.setQueryData(["approvals", "one", a.id], now);
  return now;
}

/** Answers one question. A refusal stays with it, and what it became is read. */
export function useAnswer(a: Approval) {
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<unknown>();
  useEffect(() => setFailed(undefined), [a.id]);
  const answer = async (yes: boolean, more: { option?: string; remember?: boolean } = {}) => {
    if (busy || a.state !== "open") return;
    setBusy(true);
    setFailed(undefined);
    try {
      await say(a, yes, more);
    } catch (cause) {
      setFailed(cause);
      if (tooLate(cause)) void queries.invalidateQueries({ queryKey: ["approvals"] });
    } finally {
      setBusy(false);
    }
  };
  return { busy, failed, answer };
}
