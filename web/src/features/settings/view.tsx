import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useSnapshot } from "~/api/state";
import { Skeleton } from "~/ui/note";
import { Federation } from "./federation";
import { General } from "./general";
import { Programs } from "./programs";

const sections = [
  { at: "federation", name: "Federation" },
  { at: "programs", name: "Programs" },
  { at: "notifications", name: "Notifications" },
  { at: "general", name: "All settings" },
] as const;

export type Section = (typeof sections)[number]["at"];

/** Federation, programs, and every setting. */
export function SettingsView({ section, onPair, demo, notifications }: { section: string | undefined; onPair: () => void; demo: ReactNode; notifications: ReactNode }) {
  const status = useSnapshot((s) => s.status);
  const peers = useSnapshot((s) => s.peers);
  const at = sections.find((s) => s.at === section)?.at ?? "federation";
  if (!status || !peers) return <Skeleton />;
  return (
    <div className="flex min-h-0 min-w-0 flex-1 max-md:flex-col">
      <nav aria-label="Settings" className="flex w-44 flex-none flex-col gap-0.5 border-r border-border p-2 max-md:w-full max-md:flex-row max-md:overflow-x-auto max-md:border-r-0 max-md:border-b">
        {sections.map((s) => (
          <Link key={s.at} to="/settings/$section" params={{ section: s.at }} aria-current={s.at === at ? "page" : undefined} className="flex h-8 items-center rounded-md px-2.5 whitespace-nowrap text-text-2 hover:bg-hover aria-[current=page]:bg-active aria-[current=page]:text-text max-md:h-11">
            {s.name}
          </Link>
        ))}
      </nav>
      <div className="min-h-0 min-w-0 flex-1 overflow-y-auto">
        <div className="mx-auto flex max-w-[1000px] flex-col gap-8 p-6 max-md:p-4">
          {at === "federation" && <Federation status={status} peers={peers} onPair={onPair} demo={demo} />}
          {at === "programs" && <Programs />}
          {at === "notifications" && notifications}
          {at === "general" && <General />}
        </div>
      </div>
    </div>
  );
}
