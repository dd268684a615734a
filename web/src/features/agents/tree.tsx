import { Background, Controls, Handle, Position, ReactFlow, getSmoothStepPath, type Edge as FlowEdge, type EdgeProps, type Node, type NodeProps, type ReactFlowInstance } from "@xyflow/react";
import "@xyflow/react/dist/base.css";
import clsx from "clsx";
import { Laptop, Network } from "lucide-react";
import { memo, useCallback, useMemo, useRef, type KeyboardEvent } from "react";
import type { Agent, Job, Peer, RemoteAgent } from "~/api/client";
import { visible } from "~/lib/visible";
import { JobPill, LocalCard, RemoteCard } from "./cards";
import { layout, type Placed } from "./layout";
import { walk, walkable } from "./walk";

type Data = { placed: Placed; selected: boolean };
type CardNode = Node<Data, "placed">;

const PlacedNode = memo(function PlacedNode({ data: { placed: p, selected } }: NodeProps<CardNode>) {
  switch (p.kind) {
    case "local":
      return (
        <>
          <Ends />
          <LocalCard agent={p.agent} selected={selected} />
        </>
      );
    case "remote":
      return (
        <>
          <Ends />
          <RemoteCard agent={p.agent} selected={selected} />
        </>
      );
    case "job": {
      const leg = p.job.legs?.[p.leg];
      return (
        <>
          <Ends />
          <JobPill title={visible(p.job.title)} state={leg?.state ?? p.job.state} detail={leg?.rttMs ? `${Math.max(1, Math.round(leg.rttMs))} ms` : ""} />
        </>
      );
    }
    case "border":
      return (
        <div className="flex items-center gap-3 text-xs text-text-2" style={{ width: p.w }}>
          <span className="h-px w-4 bg-edge" />
          Below this line: another machine
          <span className="h-px flex-1 bg-edge" />
        </div>
      );
    case "frame":
      return <FrameBox placed={p} />;
  }
});

function FrameBox({ placed: p }: { placed: Extract<Placed, { kind: "frame" }> }) {
  const Icon = p.peer ? Network : Laptop;
  return (
    <div
      className={clsx("pointer-events-none flex rounded-xl border", p.peer ? "items-end border-dashed border-remote-line" : "border-edge", p.peer && p.h > 50 && "bg-remote-wash", !p.peer && "bg-sunken/60")}
      style={{ width: p.w, height: p.h }}
    >
      <div className={clsx("flex h-11 w-full items-center gap-2 px-3.5", p.peer && "text-remote-text")}>
        <Icon size={14} aria-hidden />
        <bdi className="truncate font-semibold">{visible(p.title)}</bdi>
        <span className="truncate text-text-3">{p.note}</span>
      </div>
    </div>
  );
}

function Ends() {
  return (
    <>
      <Handle type="target" position={Position.Top} isConnectable={false} className="!opacity-0" />
      <Handle type="source" position={Position.Bottom} isConnectable={false} className="!opacity-0" />
    </>
  );
}

function Line(p: EdgeProps) {
  const [path] = getSmoothStepPath({ ...p, borderRadius: 11 });
  const across = p.data?.across === true;
  return (
    <path
      d={path}
      fill="none"
      strokeWidth={1.5}
      strokeDasharray={across ? "5 5" : undefined}
      className={clsx(across ? "stroke-remote" : "stroke-edge", p.data?.live === true && "dashes [animation:dashes_1s_linear_infinite]")}
    />
  );
}

const nodeTypes = { placed: PlacedNode };
const edgeTypes = { line: Line };

type Props = { here: string; agents: Agent[]; remotes: RemoteAgent[]; peers: Peer[]; jobs: Job[]; selected: string; onSelect: (id: string, what: Placed) => void };

export default function TreeView({ here, agents, remotes, peers, jobs, selected, onSelect }: Props) {
  const tree = useMemo(() => layout(here, agents, remotes, peers, jobs), [here, agents, remotes, peers, jobs]);
  // One stop of the Tab key; from there the arrows lead.
  const door = tree.nodes.some((p) => p.id === selected) ? selected : tree.nodes.find(walkable)?.id;
  const flow = useRef<ReactFlowInstance<CardNode>>(undefined);
  const press = (e: KeyboardEvent<HTMLElement>) => {
    const from = (e.target as HTMLElement).closest<HTMLElement>(".react-flow__node");
    if (from && from === e.target && (e.key === "Enter" || e.key === " ")) {
      e.preventDefault();
      const here = tree.nodes.find((p) => p.id === from.dataset.id);
      return here && walkable(here) ? onSelect(here.id, here) : undefined;
    }
    const to = from && !e.metaKey && !e.ctrlKey && !e.altKey && walk(tree.nodes, from.dataset.id ?? "", e.key);
    if (!to) return;
    e.preventDefault();
    const box = e.currentTarget;
    const reach = () => {
      const card = box.querySelector<HTMLElement>(`.react-flow__node[data-id="${CSS.escape(to.id)}"]`);
      if (card) from.tabIndex = -1;
      if (card) card.tabIndex = 0;
      card?.focus();
      return !!card;
    };
    if (reach()) return;
    void flow.current?.setCenter(to.x + to.w / 2, to.y + to.h / 2, { zoom: flow.current.getZoom() });
    requestAnimationFrame(() => requestAnimationFrame(reach)); // it was out of sight, and not drawn
  };
  const nodes = useMemo(
    () =>
      tree.nodes.map<CardNode>((p) => ({
        id: p.id,
        type: "placed",
        position: { x: p.x, y: p.y },
        width: p.w,
        height: p.h,
        data: { placed: p, selected: p.id === selected },
        selectable: walkable(p),
        focusable: walkable(p),
        domAttributes: { tabIndex: p.id === door ? 0 : walkable(p) ? -1 : undefined },
        draggable: false,
        connectable: false,
        zIndex: p.kind === "frame" ? 0 : 2,
        ariaLabel: label(p),
      })),
    [tree, selected, door],
  );
  const edges = useMemo(() => tree.edges.map<FlowEdge>((e) => ({ id: e.id, source: e.from, target: e.to, type: "line", focusable: false, selectable: false, zIndex: 1, data: { across: e.across, live: e.live } })), [tree]);
  const pick = useCallback((n: CardNode) => walkable(n.data.placed) && onSelect(n.id, n.data.placed), [onSelect]);
  return (
    <ReactFlow<CardNode>
      nodes={nodes}
      edges={edges}
      nodeTypes={nodeTypes}
      edgeTypes={edgeTypes}
      onKeyDown={press}
      onInit={(f) => void (flow.current = f)}
      onNodeClick={(_, n) => pick(n)}
      onSelectionChange={({ nodes: [n] }) => n && n.id !== selected && pick(n)}
      nodesDraggable={false}
      nodesConnectable={false}
      elevateNodesOnSelect={false}
      onlyRenderVisibleElements={nodes.length > 80}
      fitView
      fitViewOptions={{ maxZoom: 1, padding: 0.06 }}
      minZoom={0.1}
      maxZoom={1.5}
      proOptions={{ hideAttribution: true }}
      aria-label="Agents on this machine and on peers"
    >
      <Background color="var(--dotgrid)" gap={20} />
      <Controls showInteractive={false} position="bottom-left" className="overflow-hidden rounded-md border border-border bg-surface shadow-2 [&_button]:grid [&_button]:size-8 [&_button]:place-items-center [&_button]:border-b [&_button]:border-border [&_button:hover]:bg-hover [&_svg]:size-3 [&_svg]:fill-text-2" />
    </ReactFlow>
  );
}

function label(p: Placed): string | undefined {
  switch (p.kind) {
    case "local":
      return `${p.agent.name}, ${p.agent.program}, ${p.agent.status}`;
    case "remote":
      return `${p.agent.agent} on ${p.agent.peerName}, remote, ${p.agent.status}`;
    case "job":
      return `Job ${p.job.title}, ${p.job.state}`;
    case "border":
    case "frame":
      return undefined;
  }
}
