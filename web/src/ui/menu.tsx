import clsx from "clsx";
import { DropdownMenu as M } from "radix-ui";
import type { ReactNode } from "react";

export type MenuItem = { label: ReactNode; onSelect: () => void; danger?: boolean; disabled?: string | false; keys?: string } | "line";

export function Menu({ trigger, items, label }: { trigger: ReactNode; items: MenuItem[]; label: string }) {
  return (
    <M.Root modal={false}>
      <M.Trigger asChild>{trigger}</M.Trigger>
      <M.Portal>
        <M.Content aria-label={label} align="end" sideOffset={4} collisionPadding={8} className="z-50 min-w-48 animate-appear rounded-md border border-border bg-float p-1 shadow-3">
          {items.map((item, i) =>
            item === "line" ? (
              <M.Separator key={i} className="my-1 h-px bg-border" />
            ) : (
              <M.Item
                key={i}
                disabled={!!item.disabled}
                title={item.disabled || undefined}
                onSelect={item.onSelect}
                className={clsx(
                  "flex h-8 items-center gap-2 rounded-sm px-2 outline-none select-none data-[disabled]:opacity-50 data-[highlighted]:bg-hover max-md:h-11",
                  item.danger && "text-failed-text",
                )}
              >
                <span className="flex flex-1 items-center gap-2">{item.label}</span>
                {item.keys && <span className="text-xs text-text-3">{item.keys}</span>}
              </M.Item>
            ),
          )}
        </M.Content>
      </M.Portal>
    </M.Root>
  );
}
