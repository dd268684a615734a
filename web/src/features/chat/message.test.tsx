import { render } from "@testing-library/react";
import { expect, test } from "vitest";
import type { Mail } from "~/api/client";
import { Message, partsOf } from "./message";

test("a long text is cut at ends of lines, and nothing of it is lost", () => {
  const text = Array.from({ length: 2_000 }, (_, n) => "line " + n).join("\n");
  const parts = partsOf(text);
  expect(parts.length).toBeGreaterThan(3);
  expect(parts.join("\n")).toBe(text);
});

test("a line stays whole, however long", () => expect(partsOf("x".repeat(50_000))).toEqual(["x".repeat(50_000)]));

const mail = (over: Partial<Mail>): Mail => ({ id: "1", direction: "local", from: "user", to: "front", at: "2026-01-01T00:00:00Z", pos: 1, state: "stored", text: "hello", type: "message", ...over }) as Mail;

test.each([
  [{ direction: "in", from: "user", to: "front", peerName: "vps" }, "user of vps → front"],
  [{ direction: "out", from: "front", to: "user", peerName: "vps" }, "front → user of vps"],
  [{ direction: "out", from: "user", to: "back", peerName: "vps" }, "You → back on vps"],
  [{ direction: "in", from: "back", to: "user", peerName: "vps" }, "back on vps → you"],
  [{ direction: "local", from: "front", to: "user" }, "front → you"],
] as [Partial<Mail>, string][])("each machine has a user, and one of them is looking: %j", (over, want) => {
  const { container } = render(<Message mail={mail(over)} />);
  expect(container.querySelector("header span")!.textContent).toBe(want);
});
