// What turns a line around, and what nobody sees: two names that differ in it look the same. Joiners stay
// where they belong: within emoji, and between letters of scripts that are joined.
const marks = /[\u180e\u200b\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]|(?<![\p{Extended_Pictographic}\ufe0f\u{1f3fb}-\u{1f3ff}\p{Lo}\p{Mn}])\u200d|(?<![\p{Lo}\p{Mn}])\u200c/gu;

/** Foreign text with such marks made visible: "gnp.exe" must not read as "exe.png". */
export function visible(text: string): string {
  return text.replace(marks, (mark) => `⟨U+${mark.charCodeAt(0).toString(16).toUpperCase()}⟩`);
}
