import { Background, Controls, Handle, Panel, Position, ReactFlow, ReactFlowProvider, getSmoothStepPath, useReactFlow, useStore, type Edge as FlowEdge, type EdgeProps, type Node, type NodeProps, type ReactFlowInstance } from "@xyflow/react";
import "@xyflow/react/dist/base.css";
import clsx from "clsx";
import { Laptop, Network } from "lucide-react";
import { memo, startTransition, useCallback, useEffect, useMemo, useRef, useState, type KeyboardEvent, type ReactNode, type RefObject } from "react";
import { useAgent, useSnapshot } from "~/api/state";
import { Far, JobPill, LocalCard, RemoteCard } from "./cards";
import { visible } from "~/lib/visible";
import { StatusDot } from "~/ui/status";
import { layout, type Placed, type Spots } from "./layout";
import { walk, walkable } from "./walk";

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
        <LocalCard agent={agent} selected={selected} />
        <Called id={p.id}>{`${agent.name}, ${agent.program}, ${agent.status}`}</Called>
      </>
    )
  );
}

function Remote({ placed: p, selected }: Of<"remote">) {
  const agent = useSnapshot((s) => s.remoteAgents?.find((a) => a.peer === p.peer && a.agent === p.name));
  return (
    agent && (
      <>
        <RemoteCard agent={agent} selected={selected} />
        <Called id={p.id}>{`${agent.agent} on ${agent.peerName}, remote, ${agent.status}`}</Called>
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
        <JobPill title={job.title} state={leg?.state ?? job.state} detail={leg?.rttMs ? `${Math.max(1, Math.round(leg.rttMs))} ms` : ""} />
        <Called id={p.id}>{`Job ${job.title}, ${job.state}`}</Called>
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
  const centerY = p.data?.bend === "to" ? p.targetY - 13 : p.data?.bend === "from" ? p.sourceY + 16 : undefined;
  const [path] = getSmoothStepPath({ ...p, borderRadius: 11, ...(centerY !== undefined && { centerY, offset: 4 }) });
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

const states = ["running", "awaiting", "idle", "stalled", "failed"];

function Legend() {
  return (
    <Panel position="bottom-right" className="pointer-events-none flex gap-4 rounded-md border border-border bg-surface px-3 py-2 text-xs text-text-2 max-xl:hidden">
      {states.map((s) => (
        <span key={s} className="flex items-center gap-1.5">
          <StatusDot status={s} className="after:hidden" />
          {s}
        </span>
      ))}
      <span className="flex items-center gap-1.5 text-remote-text">
        <span aria-hidden className="size-2 rounded-full bg-remote" />
        on a peer
      </span>
    </Panel>
  );
}

const nodeTypes = { placed: PlacedNode };
const edgeTypes = { line: Line };

/** Below this zoom the small print of cards cannot be read. */
const readable = 0.45;

/** Tells cards from how far they are seen; that they change is not urgent. */
function Distance({ children }: { children: ReactNode }) {
  const now = useStore((s) => s.transform[2] < readable);
  const [far, set] = useState(now);
  useEffect(() => startTransition(() => set(now)), [now]);
  return <Far.Provider value={far}>{children}</Far.Provider>;
}

const fit = { maxZoom: 1, padding: 0.06 };

/** Keeps all of the tree in sight when its room changes, until its user has moved it. */
function Refit({ moved }: { moved: RefObject<boolean> }) {
  const room = useStore((s) => `${s.width} ${s.height}`);
  const { fitView } = useReactFlow();
  const first = useRef(true);
  useEffect(() => {
    if (!first.current && !moved.current) void fitView(fit);
    first.current = false;
  }, [room, fitView, moved]);
  return null;
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
  const acts = walkable(p);
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
    domAttributes: acts ? { "aria-labelledby": nameID(p.id), tabIndex: -1 } : undefined,
  };
}

function Tree({ here, spots, selected, onSelect }: Props) {
  const tree = useMemo(() => layout(here, spots), [here, spots]);
  const nodes = useNodes(tree.nodes, selected);
  const edges = useMemo(() => tree.edges.map<FlowEdge>((e) => ({ id: e.id, source: e.from, target: e.to, type: "line", focusable: false, selectable: false, zIndex: 1, data: { across: e.across, live: e.live, bend: e.bend } })), [tree]);
  const pick = useCallback((n: CardNode) => walkable(n.data.placed) && onSelect(n.data.placed), [onSelect]);
  const box = useRef<HTMLDivElement>(null);
  const moved = useRef(false);
  const flow = useRef<ReactFlowInstance<CardNode>>(undefined);
  // One stop of the Tab key, among those that are drawn; from there the arrows lead.
  const door = useCallback(() => {
    const all = [...(box.current?.querySelectorAll<HTMLElement>(".react-flow__node[tabindex]") ?? [])];
    const at = all.find((e) => e === document.activeElement) ?? all.find((e) => e.dataset.id === selected) ?? all.find((e) => e.tabIndex === 0) ?? all[0];
    for (const e of all) e.tabIndex = e === at ? 0 : -1;
  }, [selected]);
  useEffect(door, [door, nodes]);
  const press = (e: KeyboardEvent<HTMLElement>) => {
    const from = e.target instanceof HTMLElement && e.target.matches(".react-flow__node") ? (e.target.dataset.id ?? "") : undefined;
    if (from === undefined || e.metaKey || e.ctrlKey || e.altKey) return;
    const here = tree.nodes.find((p) => p.id === from);
    const to = walk(tree.nodes, from, e.key);
    if (to || e.key === "Enter" || e.key === " ") e.preventDefault();
    if (here && (e.key === "Enter" || e.key === " ")) onSelect(here);
    if (!to) return;
    const reach = () => {
      const card = box.current?.querySelector<HTMLElement>(`.react-flow__node[data-id="${CSS.escape(to.id)}"]`);
      card?.focus();
      door();
      return !!card;
    };
    if (reach()) return;
    void flow.current?.setCenter(to.x + to.w / 2, to.y + to.h / 2, { zoom: flow.current.getZoom() });
    requestAnimationFrame(() => requestAnimationFrame(reach)); // it was out of sight, and not drawn
  };
  return (
    <ReactFlowProvider>
      <Distance>
        <ReactFlow<CardNode>
          nodes={nodes}
          edges={edges}
          nodeTypes={nodeTypes}
          edgeTypes={edgeTypes}
          ref={box}
          onKeyDown={press}
          onInit={(f) => {
            flow.current = f;
            door();
          }}
          onMoveStart={(e) => {
            if (e) moved.current = true;
          }}
          onMoveEnd={door}
          onNodeClick={(_, n) => pick(n)}
          onSelectionChange={({ nodes: [n] }) => n && n.id !== selected && pick(n)}
          nodesDraggable={false}
          nodesConnectable={false}
          elevateNodesOnSelect={false}
          onlyRenderVisibleElements={nodes.length > 80}
          fitView
          fitViewOptions={fit}
          minZoom={0.1}
          maxZoom={1.5}
          proOptions={{ hideAttribution: true }}
          aria-label="Agents on this machine and on peers"
        >
          <Background color="var(--dotgrid)" gap={20} />
          <Controls showInteractive={false} position="bottom-left" className="overflow-hidden rounded-md border border-border bg-surface shadow-2 [&_button]:grid [&_button]:size-8 [&_button]:place-items-center [&_button]:border-b [&_button]:border-border [&_button:hover]:bg-hover [&_svg]:size-3 [&_svg]:fill-text-2" />
          <Legend />
          <Refit moved={moved} />
        </ReactFlow>
      </Distance>
    </ReactFlowProvider>
  );
}

export default memo(Tree);
