import { expect, test } from "vitest";
import { visible } from "./visible";

test.each([
  ["an override", "\u202egnp.exe", "⟨U+202E⟩gnp.exe"],
  ["an isolate and its end", "a\u2067b\u2069", "a⟨U+2067⟩b⟨U+2069⟩"],
  ["Hebrew with the mark that its writers use", "שלום\u200f!", "שלום\u200f!"],
  ["emoji", "🦀 é", "🦀 é"],
])("%s", (_, text, want) => expect(visible(text)).toBe(want));
