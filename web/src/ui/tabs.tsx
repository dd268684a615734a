import clsx from "clsx";
import { Tabs as T } from "radix-ui";
import type { ReactNode } from "react";

export type Tab = { value: string; label: ReactNode; remote?: boolean; content: ReactNode };

export function Tabs({ tabs, value, onChange }: { tabs: Tab[]; value: string; onChange: (v: string) => void }) {
  return (
    <T.Root value={value} onValueChange={onChange} className="flex min-h-0 flex-1 flex-col">
      <T.List className="flex flex-none gap-0.5 overflow-x-auto border-b border-border px-2.5">
        {tabs.map((t) => (
          <T.Trigger
            key={t.value}
            value={t.value}
            className={clsx(
              "relative inline-flex h-[38px] items-center gap-1.5 px-2.5 font-medium whitespace-nowrap text-text-3 hover:text-text data-[state=active]:text-text",
              "after:absolute after:inset-x-2 after:-bottom-px after:h-0.5 after:rounded-t-sm data-[state=active]:after:bg-accent focus-visible:-outline-offset-2",
              t.remote && "data-[state=active]:after:!bg-remote",
            )}
          >
            {t.label}
          </T.Trigger>
        ))}
      </T.List>
      {tabs.map((t) => (
        <T.Content key={t.value} value={t.value} className="flex min-h-0 flex-1 flex-col focus-visible:-outline-offset-2">
          {t.content}
        </T.Content>
      ))}
    </T.Root>
  );
}
