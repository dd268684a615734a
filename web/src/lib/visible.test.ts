import { expect, test } from "vitest";
import { visible } from "./visible";

test.each([
  ["an override", "\u202egnp.exe", "⟨U+202E⟩gnp.exe"],
  ["an isolate and its end", "a\u2067b\u2069", "a⟨U+2067⟩b⟨U+2069⟩"],
  ["Hebrew with the mark that its writers use", "שלום\u200f!", "שלום\u200f!"],
  ["emoji", "🦀 é", "🦀 é"],
  ["emoji that are joined", "👩‍💻 👩🏽‍🚀 ❤️‍🔥", "👩‍💻 👩🏽‍🚀 ❤️‍🔥"],
  ["spaces that nobody sees", "v\u200bp\u2060s\ufeff", "v⟨U+200B⟩p⟨U+2060⟩s⟨U+FEFF⟩"],
  ["joiners between Latin letters", "v\u200dp\u200cs", "v⟨U+200D⟩p⟨U+200C⟩s"],
  ["Persian with the joiner that its writers use", "می\u200cخواهم", "می\u200cخواهم"],
])("%s", (_, text, want) => expect(visible(text)).toBe(want));
