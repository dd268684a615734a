// What may lie over any view.
import { useNavigate } from "@tanstack/react-router";
import { Bot, Check, Handshake, Link2, Network, Plus, Sun } from "lucide-react";
import { Suspense, useMemo } from "react";
import { useSnapshot } from "./api/state";
import type { Action } from "./features/palette/palette";
import { overlay, spawnRole } from "./frame/actions";
import { views } from "./frame/frame";
import { later } from "./lib/later";
import { toggleTheme } from "./lib/theme";

const Palette = later(() => import("./features/palette/palette").then((m) => m.Palette));
const KeySheet = later(() => import("./features/palette/keys").then((m) => m.KeySheet));
const PairDialog = later(() => import("./features/pairing/dialog").then((m) => m.PairDialog));
const SpawnDialog = later(() => import("./features/spawn/wizard").then((m) => m.SpawnDialog));

/** What a user may open at any time. */
export const overlays = [Palette, SpawnDialog, KeySheet];

const close = () => {
  spawnRole.set("");
  overlay.set("none");
};

export function Overlays() {
  const open = overlay.use();
  return (
    <Suspense fallback={null}>
      {open === "palette" && <Everything />}
      {open === "keys" && <KeySheet open onClose={close} />}
      {open === "spawn" && <SpawnDialog open role={spawnRole.get()} onClose={close} onPair={() => overlay.set("pair")} />}
      {open === "pair" && <PairDialog open onClose={close} />}
    </Suspense>
  );
}

function Everything() {
  return <Palette onClose={close} actions={useActions()} />;
}

function useActions(): Action[] {
  const navigate = useNavigate();
  const agents = useSnapshot((s) => s.agents);
  const remotes = useSnapshot((s) => s.remoteAgents);
  const jobs = useSnapshot((s) => s.jobs);
  const approvals = useSnapshot((s) => s.approvals);
  return useMemo(
    () => [
      { id: "spawn", group: "Actions", label: "Spawn an agent", keys: "N", icon: <Plus size={16} />, run: () => overlay.set("spawn") },
      { id: "pair", group: "Actions", label: "Pair a machine", keys: "P", icon: <Link2 size={16} />, run: () => overlay.set("pair") },
      { id: "theme", group: "Actions", label: "Light or dark", keys: "⇧L", icon: <Sun size={16} />, run: toggleTheme },
      ...views.map((v): Action => ({ id: "go " + v.name, group: "Actions", label: "Go to " + v.name, keys: "G " + v.key.toUpperCase(), icon: <v.icon size={16} />, run: () => void navigate({ to: v.to }) })),
      ...(approvals ?? []).map((a): Action => ({ id: "q " + a.id, group: "Approvals", label: a.title, icon: <Check size={16} />, run: () => void navigate({ to: "/approvals/$id", params: { id: a.id } }) })),
      ...(agents ?? []).map((a): Action => ({ id: "a " + a.name, group: "Agents", label: a.name, hint: [a.status, a.title].filter(Boolean).join(", "), icon: <Bot size={16} />, run: () => void navigate({ to: "/agents/$name", params: { name: a.name } }) })),
      ...(remotes ?? []).map(
        (a): Action => ({ id: "r " + a.peer + a.agent, group: "On peers", label: `${a.agent} on ${a.peerName}`, hint: a.status, icon: <Network size={16} />, run: () => void navigate({ to: "/agents/$name", params: { name: a.agent }, search: { peer: a.peer } }) }),
      ),
      ...(jobs ?? []).filter((j) => j.state !== "closed").map((j): Action => ({ id: "j " + j.jobId, group: "Jobs", label: j.title, hint: j.state, icon: <Handshake size={16} />, run: () => void navigate({ to: "/jobs/$job", params: { job: j.jobId } }) })),
    ],
    [navigate, agents, remotes, jobs, approvals],
  );
}
