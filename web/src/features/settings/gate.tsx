import { useMutation } from "@tanstack/react-query";
import clsx from "clsx";
import { api, unwrap, type Status } from "~/api/client";
import { Badge } from "~/ui/status";
import { Refused } from "~/ui/note";

const modes = [
  { mode: "kernel", title: "Kernel", says: "The kernel drops what does not come from a peer: a port scan sees nothing." },
  { mode: "reset", title: "Reset", says: "The daemon accepts and resets what does not come from a peer: a port scan sees an open port. Needs no privilege." },
] as const;

/** How strangers are kept out, to choose. Config.toml decides at the next start. */
export function GateMode({ gate }: { gate: Status["gate"] }) {
  const change = useMutation({ mutationFn: (mode: "kernel" | "reset") => unwrap(api.POST("/api/gate/mode", { body: { mode } })) });
  return (
    <section aria-labelledby="gate" className="flex flex-col gap-3">
      <h2 id="gate" className="text-lg">
        Gate mode
      </h2>
      <fieldset className="grid grid-cols-2 gap-3 max-md:grid-cols-1" disabled={change.isPending}>
        <legend className="sr-only">Gate mode</legend>
        {modes.map(({ mode, title, says }) => {
          const on = gate.mode === mode;
          return (
            <label key={mode} className={clsx("flex cursor-pointer items-start gap-3 rounded-lg border p-4", on ? "border-accent" : "border-border hover:bg-hover")}>
              <input type="radio" name="gate" className="mt-1 accent-accent" checked={on} onChange={() => change.mutate(mode)} />
              <span className="flex flex-col gap-1">
                <span className="flex items-center gap-2 font-medium">
                  {title} {on && <Badge className={mode === "kernel" ? "bg-running-soft text-running-text" : "bg-awaiting-soft text-awaiting-text"}>in use</Badge>}
                </span>
                <span className="text-text-2">{says}</span>
              </span>
            </label>
          );
        })}
      </fieldset>
      {change.isError && <Refused what="The gate is as before." cause={change.error} />}
      {gate.improve && (
        <p className="text-xs text-text-3">
          To hide it better: <code className="font-mono">{gate.improve}</code>
        </p>
      )}
      <p className="text-xs text-text-3">
        This holds until the daemon stops; <code className="font-mono">gate.mode</code> in the settings decides at its start.
      </p>
    </section>
  );
}
