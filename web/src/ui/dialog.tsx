import clsx from "clsx";
import { X } from "lucide-react";
import { Dialog as D } from "radix-ui";
import type { ReactNode } from "react";
import { Button } from "./button";

export function Dialog({ open, onClose, title, children, footer, wide }: { open: boolean; onClose: () => void; title: string; children: ReactNode; footer?: ReactNode; wide?: boolean | "page" }) {
  return (
    <D.Root open={open} onOpenChange={(o) => !o && onClose()}>
      <D.Portal>
        <D.Overlay className="fixed inset-0 z-60 bg-scrim" />
        <D.Content
          aria-describedby={undefined}
          // Escape first closes the list that is open within.
          onEscapeKeyDown={(e) => document.activeElement?.matches("[role=combobox][aria-expanded=true]") && e.preventDefault()}
          className={clsx("fixed top-1/2 left-1/2 z-60 flex max-h-[90dvh] w-[calc(100vw-24px)] -translate-x-1/2 -translate-y-1/2 animate-appear flex-col rounded-xl border border-border bg-float shadow-3", wide === "page" ? "h-[92dvh] max-w-[1180px]" : wide ? "max-w-3xl" : "max-w-lg")}
        >
          <header className="flex items-center gap-2 border-b border-border px-4 py-3">
            <D.Title className="flex-1 text-lg">{title}</D.Title>
            <D.Close asChild>
              <Button look="ghost" size="sm" icon aria-label="Close">
                <X size={16} />
              </Button>
            </D.Close>
          </header>
          <div className={clsx("min-h-0 flex-1", wide === "page" ? "flex flex-col" : "overflow-auto p-4")}>{children}</div>
          {footer && <footer className="flex flex-wrap justify-end gap-2 border-t border-border px-4 py-3">{footer}</footer>}
        </D.Content>
      </D.Portal>
    </D.Root>
  );
}
