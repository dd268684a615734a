// Where features meet: each view is handed what it shows of another's.
import { Suspense, type ReactNode } from "react";
import type { Agent, Mail } from "./api/client";
import { useSnapshot } from "./api/state";
import { AgentsView } from "./features/agents/view";
import { ApprovalCard } from "./features/approvals/card";
import { Chat, Message } from "./features/chat/chat";
import { openSpawn, overlay } from "./frame/actions";
import { lazily } from "./lib/lazily";
import { Skeleton } from "./ui/note";

const AgentPanel = lazily(() => import("./features/agent/panel").then((m) => m.AgentPanel));
const RemotePanel = lazily(() => import("./features/agent/remote").then((m) => m.RemotePanel));
const Approvals = lazily(() => import("./features/approvals/view").then((m) => m.ApprovalsView));
const Jobs = lazily(() => import("./features/jobs/view").then((m) => m.JobsView));
const Settings = lazily(() => import("./features/settings/view").then((m) => m.SettingsView));
const Audit = lazily(() => import("./features/audit/view").then((m) => m.AuditView));
const Projects = lazily(() => import("./features/projects/view").then((m) => m.ProjectsView));
const Dashboard = lazily(() => import("./features/dashboard/view").then((m) => m.DashboardView));

const Later = ({ children }: { children: ReactNode }) => <Suspense fallback={<Skeleton />}>{children}</Suspense>;

export const ApprovalsPage = () => <Later><Approvals /></Later>;
export const JobsPage = () => <Later><Jobs message={showMail} /></Later>;
export const SettingsPage = () => <Later><Settings onPair={() => overlay.set("pair")} /></Later>;
export const AuditPage = () => <Later><Audit /></Later>;
export const ProjectsPage = () => <Later><Projects /></Later>;
export const DashboardPage = () => <Later><Dashboard /></Later>;

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
