import { expect, test } from "vitest";
import { Transcript } from "./transcript";

const line = (v: unknown) => JSON.stringify({ at: "2026-01-01T00:00:00.000Z", ...(v as object) }) + "\n";
const said = (text: string) => line({ update: { sessionUpdate: "agent_message_chunk", content: { type: "text", text } } });

test("chunks that follow one another are one text, whatever pieces they came in", () => {
  const whole = said("Hel") + said("lo") + line({ turn: 1, stop: "end_turn" }) + said("again");
  for (const cut of [1, 7, 60, whole.length]) {
    const t = new Transcript();
    for (let i = 0; i < whole.length; i += cut) t.feed(whole.slice(i, i + cut));
    expect(t.items.map((i) => (i.kind === "said" ? i.text : i.kind))).toEqual(["Hello", "stop", "again"]);
  }
});

test("a tool call is one item, and keeps what its updates leave out", () => {
  const t = new Transcript();
  t.feed(line({ update: { sessionUpdate: "tool_call", toolCallId: "a", title: "Edit x", kind: "edit", status: "pending", locations: [{ path: "/x" }] } }));
  t.feed(said("between"));
  t.feed(line({ update: { sessionUpdate: "tool_call_update", toolCallId: "a", status: "completed", content: [{ type: "diff", path: "/x", oldText: "1", newText: "2" }] } }));
  expect(t.items).toHaveLength(2);
  expect(t.items[0]).toMatchObject({ title: "Edit x", sort: "edit", state: "completed", paths: ["/x"], diffs: [{ path: "/x", before: "1", after: "2" }] });
});

test("what a turn took is not its end", () => {
  const t = new Transcript();
  t.feed(line({ turn: 1, used: { inputTokens: 5, contextUsed: 40, contextSize: 100 } }) + line({ turn: 1, stop: "end_turn" }) + line({ turn: 2, used: { contextUsed: "many", contextSize: -1 } }));
  expect(t.items.map((i) => (i.kind === "used" ? [i.turn, i.contextUsed, i.contextSize] : i.kind))).toEqual([[1, 40, 100], "stop", [2, undefined, undefined]]);
});

test("hostile lines change nothing", () => {
  const t = new Transcript();
  t.feed("not json\n[1]\nnull\n" + line({ update: null }) + line({ update: { sessionUpdate: "agent_message_chunk", content: [{ text: 1 }] } }) + line({ update: { sessionUpdate: "tool_call", toolCallId: { a: 1 }, title: 7, locations: "x" } }));
  expect(t.items.map((i) => i.kind)).toEqual(["tool"]);
});

test("the end of a conversation is kept, and tools in it go on", () => {
  const t = new Transcript();
  const say = (n: number) => t.feed(JSON.stringify({ at: "", prompt: { text: `p${n} ` + "x".repeat(1_000) } }) + "\n");
  for (let n = 0; n < 400; n++) say(n);
  expect(t.items).toHaveLength(400);
  t.feed(JSON.stringify({ at: "", update: { sessionUpdate: "tool_call", toolCallId: "a", title: "edit" } }) + "\n");
  for (let n = 400; n < 1_100; n++) say(n);
  const said = t.items.flatMap((i) => (i.kind === "prompt" ? [i.text.split(" ")[0]] : []));
  expect(t.items[0]).toMatchObject({ kind: "dropped", key: "before" });
  expect(t.items.filter((i) => i.kind === "dropped")).toHaveLength(1);
  expect(said.at(-1)).toBe("p1099");
  expect(said).toEqual(Array.from({ length: said.length }, (_, i) => `p${1_100 - said.length + i}`)); // no hole
  expect(said.length).toBeGreaterThan(700);
  expect(new Set(t.items.map((i) => i.key)).size).toBe(t.items.length);
  t.feed(JSON.stringify({ at: "", update: { sessionUpdate: "tool_call_update", toolCallId: "a", status: "completed" } }) + "\n");
  expect(t.items.filter((i) => i.kind === "tool")).toMatchObject([{ id: "a", state: "completed" }]);
  t.feed(JSON.stringify({ at: "", prompt: { text: "y".repeat(3_000_000) } }) + "\n"); // one that is too long by itself is kept
  expect(t.items.at(-1)).toMatchObject({ kind: "prompt" });
});
