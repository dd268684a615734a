import clsx from "clsx";
import { Dialog as D, DropdownMenu as M, Tabs as T } from "radix-ui";
import { X } from "lucide-react";
import { useId, type ComponentProps, type ReactNode } from "react";
import { Button } from "./button";
import { giveBack } from "./focus";

/** A choice of one among few. */
export function Segmented<V extends string>({ value, options, onChange, label }: { value: V; options: { value: V; label: ReactNode }[]; onChange: (v: V) => void; label: string }) {
  return (
    <div role="group" aria-label={label} className="inline-flex gap-0.5 rounded-md bg-hover p-0.5">
      {options.map((o) => (
        <button
          key={o.value}
          type="button"
          aria-pressed={o.value === value}
          onClick={() => onChange(o.value)}
          className="inline-flex h-[26px] items-center gap-1.5 rounded-sm px-2.5 font-medium text-text-2 aria-pressed:bg-surface aria-pressed:text-text aria-pressed:shadow-2 dark:aria-pressed:bg-active max-md:h-10"
        >
          {o.label}
        </button>
      ))}
    </div>
  );
}

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

export function Dialog({ open, onClose, title, children, footer, wide }: { open: boolean; onClose: () => void; title: string; children: ReactNode; footer?: ReactNode; wide?: boolean | "page" }) {
  return (
    <D.Root open={open} onOpenChange={(o) => !o && onClose()}>
      <D.Portal>
        <D.Overlay className="fixed inset-0 z-60 bg-scrim" />
        <D.Content
          aria-describedby={undefined}
          onCloseAutoFocus={giveBack}
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

const control =
  "w-full rounded-md border border-border-control bg-surface px-2.5 text-md placeholder:text-text-3 focus-visible:outline-offset-0 disabled:opacity-50 aria-invalid:border-failed max-md:min-h-11";

export function Field({ label, hint, error, children }: { label: string; hint?: ReactNode; error?: string; children: (p: { id: string; "aria-describedby": string | undefined; "aria-invalid": boolean | undefined }) => ReactNode }) {
  const id = useId();
  const about = hint || error ? id + "-about" : undefined;
  return (
    <div className="flex flex-col gap-1.5">
      <label htmlFor={id} className="font-medium">
        {label}
      </label>
      {children({ id, "aria-describedby": about, "aria-invalid": error ? true : undefined })}
      {about && (
        <p id={about} className={clsx("text-xs", error ? "text-failed-text" : "text-text-3")}>
          {error || hint}
        </p>
      )}
    </div>
  );
}

export function Input({ className, ...rest }: ComponentProps<"input">) {
  return <input className={clsx(control, "h-8", className)} {...rest} />;
}

export function TextArea({ className, ...rest }: ComponentProps<"textarea">) {
  return <textarea className={clsx(control, "py-1.5", className)} {...rest} />;
}

export function Select({ className, ...rest }: ComponentProps<"select">) {
  return <select className={clsx(control, "h-8 pr-7", className)} {...rest} />;
}

/** How full something is, with its figure beside it. */
export function Meter({ percent, label, warn }: { percent: number; label: string; warn?: boolean }) {
  return (
    <div role="meter" aria-label={label} aria-valuenow={percent} aria-valuemin={0} aria-valuemax={100} className="flex items-center gap-2">
      <svg viewBox="0 0 100 4" preserveAspectRatio="none" className="h-1 flex-1 rounded-full bg-active" aria-hidden>
        <rect width={Math.min(100, Math.max(0, percent))} height="4" className={warn ? "fill-awaiting" : "fill-text-3"} />
      </svg>
      <span className="text-xs text-text-2">{percent} %</span>
    </div>
  );
}
