import { Command } from "cmdk";
import { Dialog } from "radix-ui";
import { useState, type ReactNode } from "react";
import { visible } from "~/lib/visible";
import { giveBack } from "~/ui/focus";

export type Action = { id: string; group: "Actions" | "Agents" | "On peers" | "Jobs" | "Approvals"; label: string; hint?: string; keys?: string; icon?: ReactNode; run: () => void };

const groups = ["Actions", "Approvals", "Agents", "On peers", "Jobs"] as const;
const marks: Record<string, (typeof groups)[number][]> = { ">": ["Actions"], "@": ["Agents", "On peers"], "#": ["Jobs"] };

/** Everything that can be done and everyone who is there: > actions, @ agents, # jobs. */
export function Palette({ open, onClose, actions }: { open: boolean; onClose: () => void; actions: Action[] }) {
  const [text, setText] = useState("");
  const only = marks[text[0] ?? ""];
  const close = () => {
    setText("");
    onClose();
  };
  return (
    <Dialog.Root open={open} onOpenChange={(o) => !o && close()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-70 bg-scrim" />
        <Dialog.Content onCloseAutoFocus={giveBack} aria-describedby={undefined} className="fixed top-[12dvh] left-1/2 z-70 w-[min(640px,calc(100vw-24px))] -translate-x-1/2 animate-appear overflow-hidden rounded-xl border border-border bg-float shadow-3">
          <Dialog.Title className="sr-only">Find or do</Dialog.Title>
          <Command loop label="Find or do" filter={(value, search, keywords) => match([value, ...(keywords ?? [])].join(" "), search)}>
            <Command.Input value={text} onValueChange={setText} placeholder="Find or do…  > actions  @ agents  # jobs" className="h-12 w-full border-b border-border bg-transparent px-4 text-md outline-none placeholder:text-text-3" />
            <Command.List className="max-h-[min(420px,60dvh)] overflow-y-auto p-1.5">
              <Command.Empty className="px-3 py-6 text-center text-text-3">Nothing of that name</Command.Empty>
              {groups
                .filter((g) => !only || only.includes(g))
                .map((g) => {
                  const mine = actions.filter((a) => a.group === g);
                  return (
                    mine.length > 0 && (
                      <Command.Group key={g} heading={g} className="[&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:py-1.5 [&_[cmdk-group-heading]]:text-xs [&_[cmdk-group-heading]]:text-text-3">
                        {mine.map((a) => (
                          <Command.Item
                            key={a.id}
                            value={a.id}
                            keywords={[a.label, a.hint ?? ""]}
                            onSelect={() => {
                              close();
                              a.run();
                            }}
                            className="flex h-9 items-center gap-2.5 rounded-md px-2.5 data-[selected=true]:bg-hover max-md:h-11"
                          >
                            <span className="flex-none text-text-3">{a.icon}</span>
                            <bdi className="truncate">{visible(a.label)}</bdi>
                            {a.hint && <bdi className="truncate text-xs text-text-3">{visible(a.hint)}</bdi>}
                            {a.keys && <span className="ml-auto text-xs whitespace-nowrap text-text-3">{a.keys}</span>}
                          </Command.Item>
                        ))}
                      </Command.Group>
                    )
                  );
                })}
            </Command.List>
          </Command>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

/** Every word of the search must stand somewhere; the earlier, the better. */
export function match(text: string, search: string): number {
  const hay = text.toLowerCase();
  let score = 1;
  for (const word of search.replace(/^[>@#]/, "").toLowerCase().split(/\s+/).filter(Boolean)) {
    const at = hay.indexOf(word);
    if (at < 0) return 0;
    score *= 1 / (1 + at / 50);
  }
  return score;
}
