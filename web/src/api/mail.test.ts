import { expect, test } from "vitest";
import type { Mail } from "./client";
import { mailKey, mergeMail, place } from "./mail";

const at = (n: number) => new Date(Date.UTC(2026, 0, 1) + n * 1000).toISOString();
const mail = (n: number, state = "stored", direction = "local"): Mail => ({ id: "m" + n, pos: n, direction, from: "user", to: "a", state, at: at(n), text: "t" + n });
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => mail(from + i));

test("what changed stands where it stood, once", () => {
  const pages = [{ messages: range(100, 200), before: "x" }, { messages: range(0, 100) }];
  const now = place(pages, [mail(5, "answered"), mail(150, "started")]);
  if (now === "grown") throw new Error("grown");
  expect(now[1]!.messages!.map((m) => m.state).filter((s) => s !== "stored")).toEqual(["answered"]);
  expect(now[0]!.messages![50]!.state).toBe("started");
  expect(now.map((p) => p.messages!.length)).toEqual([100, 100]);
  expect(pages[0]!.messages![50]!.state).toBe("stored"); // what React holds is not touched
});

test("a page without a change stays the same object", () => {
  const pages = [{ messages: range(100, 200), before: "x" }, { messages: range(0, 100) }];
  const now = place(pages, [mail(150, "started")]);
  expect(now === "grown" || now[1]).toBe(pages[1]);
});

test("news come in order, however they are told, and none twice", () => {
  let pages: ReturnType<typeof place> = [{ messages: range(0, 3) }];
  for (const batch of [[mail(5), mail(3)], [mail(4)], [mail(5, "started"), mail(6)], [mail(6)]]) {
    if (pages === "grown") throw new Error("grown");
    pages = place(pages, batch);
  }
  expect(pages === "grown" || pages[0]!.messages!.map((m) => m.id)).toEqual(["m0", "m1", "m2", "m3", "m4", "m5", "m6"]);
});

test("what is older than the pages that were read is of a page before them", () => {
  const now = place([{ messages: range(100, 110), before: "x" }], [mail(7), mail(110)]);
  expect(now === "grown" || now[0]!.messages!.map((m) => m.pos)).toEqual([100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110]);
  const all = place([{ messages: range(100, 110) }], [mail(7)]); // there is none before them
  expect(all === "grown" || all[0]!.messages![0]!.pos).toBe(7);
});

test("a conversation does not grow for ever", () => expect(place([{ messages: range(0, 990) }], range(990, 1010))).toBe("grown"));

test("one message that goes out and comes in is two", () => {
  const both = mergeMail([mail(1, "stored", "out")], [mail(1, "stored", "in")]);
  expect(both.map(mailKey)).toEqual(["outm1", "inm1"]);
});
