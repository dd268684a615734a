import clsx from "clsx";
import { Check, X } from "lucide-react";
import { useState, type ReactNode } from "react";
import { visible } from "~/lib/visible";
import { Button } from "~/ui/button";
import { Segmented } from "~/ui/controls";
import { Note } from "~/ui/note";
import { check } from "./rooms";

type Way = "compare" | "type";

/** The five words: compared by eye, or typed from the other screen while this one's are hidden. */
export function Compare({ words, peer, left, onSay }: { words: string[]; peer: string; left: ReactNode; onSay: (yes: boolean) => void }) {
  const [way, setWay] = useState<Way>("compare");
  const [typed, setTyped] = useState<string[]>([]);
  const [finished, finish] = useState<ReadonlySet<number>>(new Set()); // fields that were finished: checked only then
  const states = check(typed, words);
  const same = states.every((s) => s === "same");
  const missing = states.filter((s) => s !== "same").length;
  return (
    <>
      <div className="flex flex-wrap items-center gap-3">
        <Segmented<Way>
          label="How the words are compared"
          value={way}
          onChange={setWay}
          options={[
            { value: "compare", label: "Compare" },
            { value: "type", label: "Type theirs" },
          ]}
        />
        <span className="flex-1 text-text-2">
          {way === "compare" ? (
            <>
              <bdi className="font-semibold text-remote-text">{visible(peer)}</bdi> shows five words too. Are they these, in this order?
            </>
          ) : (
            <>
              Type the five words that <bdi className="font-semibold text-remote-text">{visible(peer)}</bdi> shows
            </>
          )}
        </span>
        {left}
      </div>
      {way === "compare" ? (
        <ol className="grid grid-cols-5 gap-2.5 max-md:grid-cols-1" aria-label="The five words">
          {words.map((w, i) => (
            <li key={i} className="min-w-0 rounded-lg border border-border px-1.5 pt-3 pb-4 text-center max-md:flex max-md:items-baseline max-md:gap-3 max-md:px-4 max-md:py-2">
              <span aria-hidden className="block text-xs text-text-3">
                {i + 1}
              </span>
              <b className="text-[clamp(18px,3.2vw,36px)] leading-tight font-semibold tracking-tight">{w}</b>
            </li>
          ))}
        </ol>
      ) : (
        <>
          <div className="grid grid-cols-5 gap-2.5 max-md:grid-cols-1" role="group" aria-label="The other screen's words">
            {words.map((_, i) => {
              const s = finished.has(i) || states[i] === "same" ? states[i] : "";
              return (
                <label key={i} className={clsx("flex min-w-0 flex-col items-center gap-1 rounded-lg border px-2 pt-2 pb-2.5", s === "same" ? "border-running bg-running-soft" : s === "differs" ? "border-failed bg-failed-soft" : "border-border-control")}>
                  <span className="text-xs text-text-2">
                    Word {i + 1}
                    {s === "differs" && ": differs"}
                    {s === "same" && <span className="sr-only">: the same</span>}
                  </span>
                  <input
                    autoFocus={i === 0}
                    autoComplete="off"
                    autoCapitalize="none"
                    spellCheck={false}
                    maxLength={100}
                    value={typed[i] ?? ""}
                    aria-invalid={s === "differs" || undefined}
                    onBlur={() => finish(new Set([...finished, i]))}
                    onChange={(e) => {
                      const parts = e.target.value.split(/\s+/);
                      const next = [...typed];
                      if (parts.filter(Boolean).length > 1) parts.filter(Boolean).forEach((p, k) => (next[i + k] = p)); // all of them at once
                      else next[i] = parts.join("");
                      setTyped(next.slice(0, words.length));
                    }}
                    className="w-full min-w-0 bg-transparent text-center text-lg font-medium outline-none"
                  />
                </label>
              );
            })}
          </div>
          <p className="text-xs text-text-2">This screen's words are hidden while you type, so that nobody copies them from here by habit. Each word is checked as you finish it.</p>
        </>
      )}
      <Note>
        <b>Why words?</b> They are made from both keys and this one connection. Somebody in between would make them differ. Compare them over a way you trust: a call, or the desk next to you.
      </Note>
      <div className="flex flex-wrap items-center gap-3">
        <Button acts look="danger" onClick={() => onSay(false)}>
          <X size={16} /> They differ: stop
        </Button>
        <span className="ml-auto text-xs text-text-2">{way === "type" && !same ? `${missing} ${missing === 1 ? "word" : "words"} to go` : "Confirms for this machine only"}</span>
        <Button acts look="primary" size="lg" disabled={way === "type" && !same} title={way === "type" && !same ? "All five words first" : undefined} onClick={() => onSay(true)}>
          <Check size={16} /> The words match
        </Button>
      </div>
    </>
  );
}
