import { FolderTree, Handshake, Inbox, LayoutDashboard, ScrollText, Settings, Workflow } from "lucide-react";

/** What the rail leads to. A phone has room for five things: the others are under More. */
export const views = [
  { to: "/agents", name: "Agents", more: false, icon: Workflow, key: "a" },
  { to: "/jobs", name: "Jobs", more: false, icon: Handshake, key: "j" },
  { to: "/approvals", name: "Approvals", more: false, icon: Inbox, key: "i" },
  { to: "/projects", name: "Projects", more: true, icon: FolderTree, key: "p" },
  { to: "/dashboard", name: "Dashboard", more: false, icon: LayoutDashboard, key: "d" },
  { to: "/audit", name: "Audit", more: true, icon: ScrollText, key: "u" },
  { to: "/settings", name: "Settings", more: true, icon: Settings, key: "s" },
] as const;
