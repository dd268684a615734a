import clsx from "clsx";
import { BookOpen, Bot, FlaskConical, Layers, Map as MapIcon, Monitor, ScanEye, Server, ShieldCheck, Waypoints } from "lucide-react";

const icons: Record<string, typeof Bot> = {
  planner: MapIcon,
  frontend: Monitor,
  backend: Server,
  fullstack: Layers,
  testing: FlaskConical,
  reviewer: ScanEye,
  security: ShieldCheck,
  docs: BookOpen,
  ambassador: Waypoints,
};

export function roleIcon(role?: string): typeof Bot {
  return icons[role ?? ""] ?? Bot;
}

export function RoleIcon({ role, remote, size = 16 }: { role?: string; remote?: boolean; size?: number }) {
  const Icon = roleIcon(role);
  return (
    <span
      aria-hidden
      className={clsx("grid size-7 flex-none place-items-center rounded-md border", remote ? "border-remote-line bg-remote-soft text-remote-text" : role === "ambassador" ? "border-accent-line bg-accent-soft text-accent-text" : "border-border bg-sunken text-text-2")}
    >
      <Icon size={size} strokeWidth={1.75} />
    </span>
  );
}
