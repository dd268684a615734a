import { expect, test } from "vitest";
import type { Job, Peer } from "~/api/client";
import { longestUp, messagesOf } from "./sums";

test("what crossed is that of all legs, ended ones too", () => {
  const leg = (sent: number, received: number, state = "open") => ({ sent, received, state });
  expect(messagesOf([{ legs: [leg(3, 4), leg(10, 0, "closed")] }, { legs: null }, { legs: [leg(0, 100)] }] as Job[])).toBe(117);
  expect(messagesOf([])).toBe(0);
});

test("the bridge is up as long as its oldest connection that stands", () => {
  const peer = (connected: boolean, connectedSince?: string) => ({ connected, connectedSince }) as Peer;
  expect(longestUp([peer(true, "2026-04-12T10:00:00Z"), peer(true, "2026-04-12T09:00:00Z"), peer(false, "2026-04-12T08:00:00Z"), peer(true)])).toBe(Date.parse("2026-04-12T09:00:00Z"));
  expect(longestUp([peer(false)])).toBeUndefined();
});
