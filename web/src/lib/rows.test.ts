import { expect, test } from "vitest";
import { inSight } from "./rows";

test.each([
  ["the beginning", 0, 360, 500, { from: 0, to: 18 }],
  ["the middle", 3600, 360, 500, { from: 92, to: 118 }],
  ["the end", 36 * 500 - 360, 360, 500, { from: 482, to: 500 }],
  ["scrolled beyond what is left", 18_000, 360, 20, { from: 20, to: 20 }],
  ["few", 0, 900, 3, { from: 0, to: 3 }],
])("%s", (_, top, height, count, want) => expect(inSight(top, height, 36, count)).toEqual(want));
