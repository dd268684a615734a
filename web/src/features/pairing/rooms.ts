import type { Pairing } from "~/api/client";
import { own } from "~/lib/own";

export const rooms = ["gate", "TLS", "words", "your yes", "their yes", "stored"] as const;
export type Passage = "passed" | "refused" | "open";

/** In which room a refusal of a pairing is made; what is not known here is told by its kind alone. */
const refusers: Record<string, number> = {
  "gate.notPaired": 0,
  "gate.filter": 0,
  "peer.notReachable": 0,
  "port.taken": 0,
  "pair.notArmed": 0,
  "tls.unknownKey": 1,
  "peer.cloned": 1,
  "version.none": 1,
  "frame.tooLarge": 1,
  "frame.malformed": 1,
  "frame.badSignature": 1,
  "frame.badSeq": 1,
  "pair.malformed": 1,
  "pair.badProof": 1,
  "pair.badCommitment": 2,
  "pair.wordsDiffer": 2,
  "store.full": 5,
};

/** How far a pairing is: which rooms it has passed, and which refused. */
export function passage(p: Pairing): Passage[] {
  const upTo = (n: number, then: Passage = "open"): Passage[] => rooms.map((_, i) => (i < n ? "passed" : i === n ? then : "open"));
  switch (p.state) {
    case "paired":
      return upTo(rooms.length);
    case "waiting":
      return upTo(4);
    case "words":
      return upTo(3);
    case "failed":
      return upTo(refuser(p), "refused");
  }
  return p.failures > 0 ? upTo(refuser(p), "refused") : upTo(0);
}

/** The room that refused. Time that ran out is the other user's, once the other machine was met. */
export function refuser(p: Pairing): number {
  const kind = p.problem?.kind ?? "";
  return own(refusers, kind) ?? (p.peerId ? 4 : 0);
}

/** Checks words that were typed, one by one: "" is not typed yet. */
export function check(typed: string[], words: string[]): ("" | "same" | "differs")[] {
  return words.map((w, i) => {
    const t = (typed[i] ?? "").trim().toLowerCase();
    return t === "" ? "" : t === w.toLowerCase() ? "same" : "differs";
  });
}
