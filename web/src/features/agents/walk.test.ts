import { expect, it } from "vitest";
import type { Placed } from "./layout";
import { walk } from "./walk";

const at = (id: string, x: number, y: number, kind = "local") => ({ id, x, y, w: 200, h: 96, kind }) as Placed;
const all = [at("frame", 0, 0, "frame"), at("lead", 240, 50), at("a", 0, 200), at("b", 240, 200), at("c", 480, 200), at("border", 0, 320, "border"), at("job", 500, 330, "job"), at("r", 240, 450, "remote")];

it.each([
  ["lead", "ArrowDown", "b", "straight ahead before what is nearer aside"],
  ["b", "ArrowUp", "lead", "and back"],
  ["a", "ArrowRight", "b", "the next of the row"],
  ["c", "ArrowLeft", "b", "the one before"],
  ["a", "ArrowLeft", undefined, "there the row ends"],
  ["a", "ArrowUp", "lead", "up from the side of the row"],
  ["c", "ArrowDown", "job", "over the border by the job"],
  ["job", "ArrowDown", "r", "to the peer's agents"],
  ["r", "ArrowDown", undefined, "below it is nobody"],
  ["gone", "ArrowDown", undefined, "from who is not there any more"],
  ["a", "x", undefined, "another key"],
])("from %s by %s to %s: %s", (from, key, to, _why) => expect(walk(all, from, key)?.id).toBe(to));
