import { useState } from "react";
import clsx from "clsx";
import type { Mail } from "~/api/client";
import { brief, stepsOf } from "~/lib/steps";
import { Receipt } from "./receipt";

/** A receipt that opens to its steps, each with the time at which it was known here. */
export function Way({ mail: m }: { mail: Mail }) {
  const [open, show] = useState(false);
  const steps = stepsOf(m);
  const last = steps.filter((s) => s.passed && s.at).at(-1);
  const after = last && last.at !== m.at ? Date.parse(last.at ?? m.at) - Date.parse(m.at) : undefined;
  return (
    <div className="mt-1.5">
      <button type="button" aria-expanded={open} title="Its steps, with times" onClick={() => show(!open)} className="flex flex-wrap items-center gap-x-1.5 rounded-xs text-left hover:underline hover:underline-offset-2 max-md:min-h-11">
        <span className="sr-only">Receipt: </span>
        <Receipt mail={m} />
        {after !== undefined && m.state === last?.name && <span className="text-xs text-text-3">after {brief(after)}</span>}
      </button>
      {open && (
        <ol aria-label="Steps" className="mt-1.5 grid w-fit grid-cols-[auto_auto_auto] gap-x-3 text-xs text-text-2">
          {steps.map((s) => (
            <li key={s.name} className={clsx("contents", !s.passed && "text-text-3")}>
              <span>{s.name}</span>
              <span>{s.at ? <time dateTime={s.at}>{new Date(s.at).toLocaleTimeString()}</time> : s.passed ? "time not kept" : "not yet"}</span>
              <span className="text-text-3">{s.at && s.at !== m.at ? (s.own ? "after " : "within ") + brief(Date.parse(s.at) - Date.parse(m.at)) : ""}</span>
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}
