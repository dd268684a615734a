import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import type { Agent } from "~/api/client";
import { Launch } from "./launch";

const agent = { name: "a", program: "claude", process: "up", session: "open", status: "idle", turns: 0 } as Agent;

test("a program that starts says how far it is", () => {
  render(<Launch agent={{ ...agent, process: "starting", session: "opening", status: "running", progress: "greets it" }} />);
  expect(screen.getByRole("status").textContent).toContain("claude starts: greets it");
});

test("one that did not come up says why, as text", () => {
  render(<Launch agent={{ ...agent, process: "exited", status: "failed", reason: "<b>no login</b>" }} />);
  expect(screen.getByRole("alert").textContent).toContain("did not come up<b>no login</b>");
});

test("of one that is up nothing is said", () => expect(render(<Launch agent={agent} />).container.childElementCount).toBe(0));
