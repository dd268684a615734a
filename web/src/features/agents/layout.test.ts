import { expect, test } from "vitest";
import { layout, type Box, type Spots } from "./layout";

const of = (jobs: number, agents = 3): Spots => ({
  agents: Array.from({ length: agents }, (_, i) => ({ name: `a${i}`, role: i ? "backend" : "planner", team: "shop" })),
  remotes: [{ peer: "p", agent: "r" }],
  peers: [{ id: "p", name: "vps" }],
  legs: Array.from({ length: jobs }, (_, i) => ({ job: `j${i}`, leg: 0, peer: "p", state: "open" as const, agents: ["a1"], peerAgents: ["r"] })),
});

const meet = (a: Box, b: Box) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

test.each([1, 2, 5, 12])("%i jobs lie between the frames, in the frames' width, and cover nothing", (jobs) => {
  const { nodes } = layout("here", of(jobs));
  const here = nodes.find((n) => n.id === "here")!;
  const there = nodes.find((n) => n.id === "p:p")!;
  const border = nodes.find((n) => n.kind === "border")!;
  const pills = nodes.filter((n) => n.kind === "job");
  expect(pills).toHaveLength(jobs);
  for (const [i, p] of pills.entries()) {
    expect(p.x).toBeGreaterThanOrEqual(0);
    expect(p.x + p.w).toBeLessThanOrEqual(here.w);
    expect(p.y).toBeGreaterThanOrEqual(here.y + here.h);
    expect(p.y + p.h).toBeLessThanOrEqual(there.y);
    expect(meet(p, { ...border, id: "label", w: 200 })).toBe(false);
    for (const other of pills.slice(0, i)) expect(meet(p, other)).toBe(false);
  }
});

test("a lead stands above its team, and is joined to it", () => {
  const { nodes, edges } = layout("here", of(0));
  const y = (id: string) => nodes.find((n) => n.id === id)!.y;
  expect(y("a:a0")).toBeLessThan(y("a:a1"));
  expect(edges.map((e) => [e.from, e.to])).toEqual([["a:a0", "a:a1"], ["a:a0", "a:a2"]]);
});
