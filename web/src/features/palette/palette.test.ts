import { expect, test } from "vitest";
import { choose, type Action } from "./palette";

const agents = Array.from({ length: 500 }, (_, n): Action => ({ id: "a agent-" + n, group: "Agents", label: "agent-" + n, run: () => {} }));
const all: Action[] = [{ id: "spawn", group: "Actions", label: "Spawn an agent", run: () => {} }, ...agents, { id: "j 1", group: "Jobs", label: "Invoices", run: () => {} }];
const of = (search: string) => choose(all, search).map((g) => ({ group: g.group, list: g.list.map((a) => a.label), more: g.more }));

test("of hundreds a few are drawn, and how many are not is said", () => {
  const [actions, some] = of("");
  expect(actions).toEqual({ group: "Actions", list: ["Spawn an agent"], more: 0 });
  expect([some!.list.length, some!.more]).toEqual([8, 492]);
});

test("any of them is found by its name", () => expect(of("agent-499")[0]!.list).toEqual(["agent-499"]));
test("@ is agents alone", () => expect(of("@").map((g) => g.group)).toEqual(["Agents"]));
test("# is jobs alone", () => expect(of("#inv").map((g) => g.list)).toEqual([["Invoices"]]));
test("what nobody is called is not there", () => expect(of("zzz")).toEqual([]));
