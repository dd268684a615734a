import clsx from "clsx";
import { Slot } from "radix-ui";
import type { ComponentProps, MouseEvent } from "react";
import { useAway } from "~/api/state";

const looks = {
  primary: "bg-accent text-on-accent border-transparent hover:bg-accent-hover",
  default: "bg-surface border-border-strong shadow-1 hover:bg-hover",
  ghost: "border-transparent text-text-2 hover:bg-hover hover:text-text",
  danger: "bg-surface border-border-strong text-failed-text hover:bg-failed-soft hover:border-failed-line",
  remote: "bg-remote text-on-remote border-transparent hover:bg-remote-hover",
} as const;

const sizes = {
  sm: "h-7 px-2.5 rounded-sm",
  md: "h-8 px-3 rounded-md",
  lg: "h-10 px-[18px] rounded-md text-md",
} as const;

type Props = ComponentProps<"button"> & {
  look?: keyof typeof looks;
  size?: keyof typeof sizes;
  /** Only an icon: give it an aria-label. */
  icon?: boolean;
  asChild?: boolean;
};

/** A button. Disabled ones say in their title what they wait for; one that acts on the daemon is off while that is away. */
export function Button({ acts, ...rest }: Props & { acts?: boolean }) {
  return acts ? <Acting {...rest} /> : <Plain {...rest} />;
}

/** It keeps the focus while it is off: whoever is on it by key is not thrown out. */
function Acting({ title, onClick, ...rest }: Props) {
  const away = useAway();
  const press = (e: MouseEvent<HTMLButtonElement>) => {
    if (!away) return onClick?.(e);
    e.preventDefault();
    e.stopPropagation();
  };
  return <Plain {...rest} title={away ?? title} aria-disabled={away ? true : undefined} onClick={press} />;
}

function Plain({ look = "default", size = "md", icon, asChild, className, type = "button", ...rest }: Props) {
  const Tag = asChild ? Slot.Root : "button";
  return (
    <Tag
      type={asChild ? undefined : type}
      className={clsx(
        "inline-flex items-center justify-center gap-1.5 border font-medium whitespace-nowrap transition-colors duration-100 disabled:opacity-50 disabled:pointer-events-none aria-disabled:cursor-default aria-disabled:opacity-50 select-none max-md:min-h-11",
        looks[look],
        sizes[size],
        icon && (size === "sm" ? "w-7 !px-0 max-md:w-11" : "w-8 !px-0 max-md:w-11"),
        className,
      )}
      {...rest}
    />
  );
}

export function Kbd({ children }: { children: string }) {
  return (
    <kbd className="inline-flex h-[18px] min-w-[18px] items-center justify-center rounded-xs border border-current/35 px-1 font-sans text-[11px] leading-none opacity-80 max-md:hidden">
      {children}
    </kbd>
  );
}
