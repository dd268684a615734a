import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import type { Approval } from "~/api/client";
import { Expiry } from "./expiry";

afterEach(cleanup);

const ask = (ms: number, state = "open") => ({ id: "a", kind: "permission", title: "t", detail: {}, state, created: "", expires: new Date(Date.now() + ms).toISOString() }) as unknown as Approval;

test.each([
  [3 * 3600_000, /expires in 2 h 59 min|expires in 3 h/, "text-text-3"],
  [9 * 60_000, /expires in (8|9) min/, "text-awaiting-text"],
  [40_000, /expires in \d+ s/, "text-failed-text"],
  [-60_000, /^\s*expired$/, "text-failed-text"],
])("%d ms before its end", (ms, says, look) => {
  render(<Expiry approval={ask(ms)} />);
  expect(screen.getByText(says).className).toContain(look);
});

test("a question that is decided has no end", () => {
  const { container } = render(<Expiry approval={ask(1000, "approved")} />);
  expect(container.textContent).toBe("");
});
