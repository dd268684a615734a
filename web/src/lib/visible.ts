const turns = /[\u202a-\u202e\u2066-\u2069]/g;

/** Foreign text with the marks made visible that turn a line around: "gnp.exe" must not read as "exe.png". */
export function visible(text: string): string {
  return text.replace(turns, (mark) => `⟨U+${mark.charCodeAt(0).toString(16).toUpperCase()}⟩`);
}
