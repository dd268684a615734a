import { createRootRoute, createRoute, createRouter, redirect } from "@tanstack/react-router";
import { Frame } from "./frame/frame";
import { Overlays } from "./overlays";
import { AgentsPage, ApprovalsPage, AuditPage, DashboardPage, JobsPage, ProjectsPage, SettingsPage } from "./pages";

const root = createRootRoute({ component: () => <Frame overlays={<Overlays />} />, notFoundComponent: () => <p className="p-6">There is no such page.</p> });
const under = <P extends string>(path: P, component: () => React.ReactNode) => createRoute({ getParentRoute: () => root, path, component });

const index = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/agents", replace: true });
  },
});
const agent = createRoute({
  getParentRoute: () => root,
  path: "/agents/$name",
  component: AgentsPage,
  validateSearch: (s: Record<string, unknown>): { peer?: string; wide?: boolean } => ({ ...(typeof s.peer === "string" && { peer: s.peer }), ...((s.wide === true || s.wide === "" || s.wide === "true") && { wide: true }) }),
});

export const router = createRouter({
  routeTree: root.addChildren([
    index,
    agent,
    under("/agents", AgentsPage),
    under("/jobs", JobsPage),
    under("/jobs/$job", JobsPage),
    under("/approvals", ApprovalsPage),
    under("/approvals/$id", ApprovalsPage),
    under("/projects", ProjectsPage),
    under("/dashboard", DashboardPage),
    under("/audit", AuditPage),
    under("/settings", SettingsPage),
    under("/settings/$section", SettingsPage),
  ]),
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
