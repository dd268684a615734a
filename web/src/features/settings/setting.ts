import type { Setting } from "./queries";

/** A value as a person types it: of a list, its parts between commas. */
export function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(String).join(", ");
  return value === undefined || value === null ? "" : String(value);
}

/** What the field of a setting begins with: what is written already, else what holds. */
export const written = (s: Setting): string => textOf(s.next ? s.next.value : s.value);

/** What is sent for what was typed: an empty list is one, as nothing typed is no value. */
export const toSend = (s: Setting, typed: string): string => (Array.isArray(s.value) && typed.trim() === "" ? "[]" : typed.trim());

const fromFile = /config\.toml:\d+$/;

/** What stands over config.toml, so that writing it changes nothing: a flag, a variable. */
export const above = (s: Setting): string | undefined => (s.origin === "default" || fromFile.test(s.origin) ? undefined : s.origin);

/** Programs are described in the file alone: a page writes no command lines. */
export const editable = (s: Setting): boolean => !s.key.startsWith("programs.");
