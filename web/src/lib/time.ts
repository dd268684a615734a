const units: [number, string][] = [
  [86400, "d"],
  [3600, "h"],
  [60, "min"],
  [1, "s"],
];

/** A span as people say it: "3 s", "14 min", "2 h 5 min", "3 d 4 h". */
export function span(ms: number): string {
  let rest = Math.max(0, Math.floor(ms / 1000));
  const parts: string[] = [];
  for (const [size, name] of units) {
    const n = Math.floor(rest / size);
    if (n > 0 || (size === 1 && parts.length === 0)) parts.push(`${n} ${name}`);
    rest -= n * size;
    if (parts.length === 2 || (parts.length === 1 && size <= 60)) break;
  }
  return parts.join(" ");
}

export function ago(at: string | undefined, now: number): string {
  return at ? span(now - Date.parse(at)) + " ago" : "";
}

const minutes = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit" });

/** The time of day. To make a format costs more than to use it a hundred times. */
export function clock(at: string): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? "" : minutes.format(date);
}
