// Where features meet: each view is handed what it shows of another's.
import { useParams } from "@tanstack/react-router";
import { Suspense, type ReactNode } from "react";
import type { Agent, Mail } from "./api/client";
import { useSnapshot } from "./api/state";
import { AgentsView } from "./features/agents/view";
import { openSpawn, overlay } from "./frame/actions";
import { later } from "./lib/later";
import { Skeleton } from "./ui/note";

const AgentPanel = later(() => import("./features/agent/panel").then((m) => m.AgentPanel));
const Chat = later(() => import("./features/chat/chat").then((m) => m.Chat));
const Message = later(() => import("./features/chat/message").then((m) => m.Message));
const ApprovalCard = later(() => import("./features/approvals/card").then((m) => m.ApprovalCard));
const NotifySetting = later(() => import("./features/approvals/notify").then((m) => m.NotifySetting));
const RemotePanel = later(() => import("./features/agent/remote").then((m) => m.RemotePanel));
const Approvals = later(() => import("./features/approvals/view").then((m) => m.ApprovalsView));
const Jobs = later(() => import("./features/jobs/view").then((m) => m.JobsView));
const Settings = later(() => import("./features/settings/view").then((m) => m.SettingsView));
const Audit = later(() => import("./features/audit/view").then((m) => m.AuditView));
const Projects = later(() => import("./features/projects/view").then((m) => m.ProjectsView));
const Dashboard = later(() => import("./features/dashboard/view").then((m) => m.DashboardView));

const Demo = later(() => import("./features/agents/demo").then((m) => m.Demo));

const Later = ({ children }: { children: ReactNode }) => <Suspense fallback={<Skeleton />}>{children}</Suspense>;

/** A part that comes while others are on screen: they stay as they are, and who has the focus keeps it. */
const Alone = ({ children }: { children: ReactNode }) => <Suspense fallback={null}>{children}</Suspense>;

export const ApprovalsPage = () => <Later><Approvals /></Later>;
export const JobsPage = () => <Later><Jobs question={(id) => <Asked id={id} />} /></Later>;
export function SettingsPage() {
  const { section } = useParams({ strict: false });
  return <Later><Settings section={section} onPair={() => overlay.set("pair")} demo={<Demo />} notifications={<NotifySetting />} /></Later>;
}
export const AuditPage = () => <Later><Audit /></Later>;
export const ProjectsPage = () => <Later><Projects /></Later>;
export const DashboardPage = () => <Later><Dashboard onSpawn={() => openSpawn()} onPair={() => overlay.set("pair")} /></Later>;

/** A question of the queue, where another view tells of it. */
function Asked({ id }: { id: string }) {
  const asked = useSnapshot((s) => (s.approvals ?? []).find((a) => a.id === id));
  return asked ? <Later><ApprovalCard approval={asked} /></Later> : null;
}

const showMail = (m: Mail) => (
  <div className="far-off">
    <Alone>
      <Message mail={m} />
    </Alone>
  </div>
);

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
        chat={(onReview, onInterrupt) => <Chat agent={agent} approvals={approvals} approvalCard={(a) => <Alone><ApprovalCard approval={a} /></Alone>} onReview={onReview} onInterrupt={onInterrupt} />}
      />
    </Later>
  );
}

/** What a user asks for next, so that it opens at once. */
export const next = [AgentPanel, Chat, Message, ApprovalCard, Approvals, Jobs, Dashboard];
