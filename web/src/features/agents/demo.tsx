import { useMutation, useQuery } from "@tanstack/react-query";
import { ExternalLink, Link2, Play } from "lucide-react";
import { api, unwrap } from "~/api/client";
import { queries } from "~/api/state";
import { Button, Kbd } from "~/ui/button";
import { Refused } from "~/ui/note";

const start = () => unwrap(api.POST("/api/demo"));

/** Two machines on this one: what pairing brings, seen before anything is paired. */
export function Demo({ onPair }: { onPair?: () => void }) {
  const demo = useQuery({ queryKey: ["demo"], queryFn: ({ signal }) => unwrap(api.GET("/api/demo", { signal })), staleTime: 0 });
  const said = { onSettled: () => queries.invalidateQueries({ queryKey: ["demo"] }) };
  const begin = useMutation({ mutationFn: start, ...said });
  const end = useMutation({ mutationFn: () => unwrap(api.DELETE("/api/demo")), ...said });
  const look = useMutation({
    // Each address lets in once: a click makes a new one.
    mutationFn: async (name: string) => {
      const door = (await start()).doors?.find((d) => d.name === name);
      if (door) window.open(door.url, "_blank", "noopener");
    },
    ...said,
  });
  const failed = begin.error ?? end.error ?? look.error;
  return (
    <section aria-label="Demo" className="mt-4 flex flex-1 flex-col gap-3">
      <div className="flex flex-wrap items-center gap-2">
        {demo.data?.running ? (
          <>
            {["laptop", "vps"].map((name) => (
              <Button key={name} size="lg" onClick={() => look.mutate(name)} disabled={look.isPending || end.isPending} className="!border-remote !text-remote-text">
                <ExternalLink size={16} /> Look at {name}
              </Button>
            ))}
            <Button size="lg" look="ghost" onClick={() => end.mutate()} disabled={end.isPending}>
              {end.isPending ? "Ending…" : "End the demo"}
            </Button>
          </>
        ) : (
          <Button size="lg" onClick={() => begin.mutate()} disabled={begin.isPending || demo.isPending} className="!border-remote !text-remote-text">
            <Play size={16} /> {begin.isPending ? "Two daemons start…" : "Start the paired demo"}
          </Button>
        )}
        {onPair && (
          <Button size="lg" look="ghost" onClick={onPair}>
            <Link2 size={16} /> Pair a machine <Kbd>P</Kbd>
          </Button>
        )}
      </div>
      <p aria-live="polite" className="text-text-2">
        {demo.data?.running && "Two daemons run beside this one and are paired; their agents agree on an API. Look at both."}
      </p>
      {failed && <Refused what="The demo does not run." cause={failed} />}
      <p className="mt-auto pt-6 text-xs text-text-3">The demo is two daemons with scripted agents, in a folder of their own: no model is called. It ends with this daemon and leaves nothing behind.</p>
    </section>
  );
}
