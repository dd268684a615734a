import clsx from "clsx";
import { RadioGroup as R, Switch as S } from "radix-ui";
import { useId, type ReactNode } from "react";

/** A set of cards of which one is chosen; arrow keys walk them. */
export const Choices = R.Root;

export function Choice({ value, remote, disabled, className, children, label }: { value: string; remote?: boolean; disabled?: boolean; className?: string; children: ReactNode; label?: string }) {
  return (
    <R.Item
      value={value}
      disabled={disabled}
      aria-label={label}
      className={clsx(
        "group min-w-0 rounded-lg border border-border bg-surface text-left transition-colors hover:border-border-control disabled:pointer-events-none disabled:opacity-60",
        remote
          ? "data-[state=checked]:border-remote data-[state=checked]:bg-remote-wash data-[state=checked]:ring-1 data-[state=checked]:ring-remote"
          : "data-[state=checked]:border-accent data-[state=checked]:bg-accent-soft data-[state=checked]:ring-1 data-[state=checked]:ring-accent",
        className,
      )}
    >
      {children}
    </R.Item>
  );
}

/** The disc of a radio, for within a Choice. */
export function Disc({ remote }: { remote?: boolean }) {
  return (
    <span
      aria-hidden
      className={clsx("mt-0.5 grid size-4 flex-none place-items-center rounded-full border-[1.5px] border-border-control", remote ? "group-data-[state=checked]:border-[5px] group-data-[state=checked]:border-remote" : "group-data-[state=checked]:border-[5px] group-data-[state=checked]:border-accent")}
    />
  );
}

/** Something that is on or off, with what that means. */
export function Toggle({ on, onChange, label, children, remote, disabled }: { on: boolean; onChange: (on: boolean) => void; label: string; children?: ReactNode; remote?: boolean; disabled?: string | false }) {
  const id = useId();
  return (
    <div className="flex items-start gap-2.5" title={disabled || undefined}>
      <S.Root
        id={id}
        checked={on}
        onCheckedChange={onChange}
        disabled={!!disabled}
        aria-describedby={children ? id + "-about" : undefined}
        className={clsx("mt-px h-[18px] w-[30px] flex-none rounded-full border border-transparent bg-border-control transition-colors disabled:opacity-50", remote ? "data-[state=checked]:bg-remote" : "data-[state=checked]:bg-accent")}
      >
        <S.Thumb className="block size-3.5 translate-x-px rounded-full bg-surface transition-transform data-[state=checked]:translate-x-[13px]" />
      </S.Root>
      <div className="min-w-0">
        <label htmlFor={id} className="font-medium">
          {label}
        </label>
        {children && (
          <p id={id + "-about"} className="text-xs text-text-3">
            {children}
          </p>
        )}
      </div>
    </div>
  );
}
