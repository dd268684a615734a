import { Background, Controls, Handle, Position, ReactFlow, ReactFlowProvider, getSmoothStepPath, useStore, type Edge as FlowEdge, type EdgeProps, type Node, type NodeProps } from "@xyflow/react";
import "@xyflow/react/dist/base.css";
import clsx from "clsx";
import { Laptop, Network } from "lucide-react";
import { memo, startTransition, useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { useAgent, useSnapshot } from "~/api/state";
import { Far, JobPill, LocalCard, RemoteCard } from "./cards";
import { layout, type Placed, type Spots } from "./layout";

type Data = { placed: Placed; selected: boolean };
type CardNode = Node<Data, "placed">;
type Of<K extends Placed["kind"]> = { placed: Extract<Placed, { kind: K }>; selected: boolean };

const nameID = (id: string) => "name-" + id.replaceAll(" ", "-");

/** What a node is called. It stands in the card, since it changes with the agent and not with the tree. */
const Called = ({ id, children }: { id: string; children: string }) => (
  <span id={nameID(id)} hidden>
    {children}
  </span>
);

function Local({ placed: p, selected }: Of<"local">) {
  const agent = useAgent(p.name);
  return (
    agent && (
      <>
        <Called id={p.id}>{`${agent.name}, ${agent.program}, ${agent.status}`}</Called>
        <LocalCard agent={agent} selected={selected} />
      </>
    )
  );
}

function Remote({ placed: p, selected }: Of<"remote">) {
  const agent = useSnapshot((s) => s.remoteAgents?.find((a) => a.peer === p.peer && a.agent === p.name));
  return (
    agent && (
      <>
        <Called id={p.id}>{`${agent.agent} on ${agent.peerName}, remote, ${agent.status}`}</Called>
        <RemoteCard agent={agent} selected={selected} />
      </>
    )
  );
}

function Pill({ placed: p }: { placed: Extract<Placed, { kind: "job" }> }) {
  const job = useSnapshot((s) => s.jobs?.find((j) => j.jobId === p.job));
  const leg = job?.legs?.[p.leg];
  return (
    job && (
      <>
        <Called id={p.id}>{`Job ${job.title}, ${job.state}`}</Called>
        <JobPill title={job.title} state={leg?.state ?? job.state} detail={leg?.rttMs ? `${Math.max(1, Math.round(leg.rttMs))} ms` : ""} />
      </>
    )
  );
}

const PlacedNode = memo(function PlacedNode({ data: { placed: p, selected } }: NodeProps<CardNode>) {
  switch (p.kind) {
    case "local":
      return (
        <>
          <Ends />
          <Local placed={p} selected={selected} />
        </>
      );
    case "remote":
      return (
        <>
          <Ends />
          <Remote placed={p} selected={selected} />
        </>
      );
    case "job":
      return (
        <>
          <Ends />
          <Pill placed={p} />
        </>
      );
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
        <bdi className="truncate font-semibold">{p.title}</bdi>
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
const clickable = new Set(["local", "remote", "job"]);

/** Below this zoom the small print of cards cannot be read. */
const readable = 0.45;

/** Tells cards from how far they are seen; that they change is not urgent. */
function Distance({ children }: { children: ReactNode }) {
  const now = useStore((s) => s.transform[2] < readable);
  const [far, set] = useState(now);
  useEffect(() => startTransition(() => set(now)), [now]);
  return <Far.Provider value={far}>{children}</Far.Provider>;
}

type Props = { here: string; spots: Spots; selected: string; onSelect: (what: Placed) => void };

/** The nodes of React Flow, each the same object for as long as nothing of it moved. */
function useNodes(nodes: Placed[], selected: string): CardNode[] {
  const last = useRef(new Map<string, CardNode>());
  return useMemo(() => {
    const out = nodes.map((p) => {
      const was = last.current.get(p.id);
      const isIt = p.id === selected;
      return was && was.data.selected === isIt && same(was.data.placed, p) ? was : node(p, isIt);
    });
    last.current = new Map(out.map((n) => [n.id, n]));
    return out;
  }, [nodes, selected]);
}

const same = (a: Placed, b: Placed) => JSON.stringify(a) === JSON.stringify(b);

function node(p: Placed, selected: boolean): CardNode {
  const acts = clickable.has(p.kind);
  return {
    id: p.id,
    type: "placed",
    position: { x: p.x, y: p.y },
    width: p.w,
    height: p.h,
    data: { placed: p, selected },
    selectable: acts,
    focusable: acts,
    draggable: false,
    connectable: false,
    zIndex: p.kind === "frame" ? 0 : 2,
    domAttributes: acts ? { "aria-labelledby": nameID(p.id) } : undefined,
  };
}

function Tree({ here, spots, selected, onSelect }: Props) {
  const tree = useMemo(() => layout(here, spots), [here, spots]);
  const nodes = useNodes(tree.nodes, selected);
  const edges = useMemo(() => tree.edges.map<FlowEdge>((e) => ({ id: e.id, source: e.from, target: e.to, type: "line", focusable: false, selectable: false, zIndex: 1, data: { across: e.across, live: e.live } })), [tree]);
  const pick = useCallback((n: CardNode) => clickable.has(n.data.placed.kind) && onSelect(n.data.placed), [onSelect]);
  return (
    <ReactFlowProvider>
      <Distance>
        <ReactFlow<CardNode>
          nodes={nodes}
          edges={edges}
          nodeTypes={nodeTypes}
          edgeTypes={edgeTypes}
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
      </Distance>
    </ReactFlowProvider>
  );
}

export default memo(Tree);
