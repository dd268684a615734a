import clsx from "clsx";
import { useId, type ComponentProps, type ReactNode } from "react";

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
      <span className="min-w-10 text-right text-xs text-text-2 tabular-nums">{percent} %</span>
    </div>
  );
}
