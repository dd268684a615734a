// Where features meet: each view is handed what it shows of another's.
import { useParams } from "@tanstack/react-router";
import { lazy, Suspense, type ReactNode } from "react";
import type { Agent, Mail } from "./api/client";
import { useSnapshot } from "./api/state";
import { Demo } from "./features/agents/demo";
import { AgentsView } from "./features/agents/view";
import { ApprovalCard } from "./features/approvals/card";
import { Chat, Message } from "./features/chat/chat";
import { openSpawn, overlay } from "./frame/actions";
import { Skeleton } from "./ui/note";

const AgentPanel = lazy(() => import("./features/agent/panel").then((m) => ({ default: m.AgentPanel })));
const RemotePanel = lazy(() => import("./features/agent/remote").then((m) => ({ default: m.RemotePanel })));
const Approvals = lazy(() => import("./features/approvals/view").then((m) => ({ default: m.ApprovalsView })));
const Jobs = lazy(() => import("./features/jobs/view").then((m) => ({ default: m.JobsView })));
const Settings = lazy(() => import("./features/settings/view").then((m) => ({ default: m.SettingsView })));
const Audit = lazy(() => import("./features/audit/view").then((m) => ({ default: m.AuditView })));
const Projects = lazy(() => import("./features/projects/view").then((m) => ({ default: m.ProjectsView })));
const Dashboard = lazy(() => import("./features/dashboard/view").then((m) => ({ default: m.DashboardView })));

const Later = ({ children }: { children: ReactNode }) => <Suspense fallback={<Skeleton />}>{children}</Suspense>;

export const ApprovalsPage = () => <Later><Approvals /></Later>;
export const JobsPage = () => <Later><Jobs message={showMail} /></Later>;
export function SettingsPage() {
  const { section } = useParams({ strict: false });
  return <Later><Settings section={section} onPair={() => overlay.set("pair")} demo={<Demo />} /></Later>;
}
export const AuditPage = () => <Later><Audit /></Later>;
export const ProjectsPage = () => <Later><Projects /></Later>;
export const DashboardPage = () => <Later><Dashboard onSpawn={() => openSpawn()} onPair={() => overlay.set("pair")} /></Later>;

const showMail = (m: Mail) => <Message mail={m} />;

export function AgentsPage() {
  return <AgentsView onSpawn={openSpawn} onPair={() => overlay.set("pair")} panel={(a, close) => <OneAgent key={a.name} agent={a} close={close} />} remotePanel={(a, close) => <Later><RemotePanel key={a.peer + a.agent} agent={a} close={close} message={showMail} /></Later>} />;
}

function OneAgent({ agent, close }: { agent: Agent; close: () => void }) {
  const approvals = useSnapshot((s) => (s.approvals ?? []).filter((a) => a.title.startsWith(agent.name + " "))) ?? [];
  return (
    <Later>
      <AgentPanel
        agent={agent}
        close={close}
        message={showMail}
        chat={(onReview, onInterrupt) => <Chat agent={agent} approvals={approvals} approvalCard={(a) => <ApprovalCard approval={a} />} onReview={onReview} onInterrupt={onInterrupt} />}
      />
    </Later>
  );
}
