import type { Agent } from "~/api/client";

// Figures as people read them. What nobody reported has no figure.

export const number = (n: number | undefined): string => (n === undefined ? "not reported" : n.toLocaleString("en"));

const short = Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });

/** "1.94 M", "300 k", "12". */
export const compact = (n: number): string => short.format(n).replace(/[A-Z]$/, (unit) => " " + (unit === "K" ? "k" : unit));

export function money(cost: number | undefined, currency: string | undefined): string {
  if (cost === undefined) return "not reported";
  const sign = !currency || currency === "USD" ? "$" : "";
  return sign + cost.toFixed(cost !== 0 && Math.abs(cost) < 0.01 ? 4 : 2) + (sign ? "" : " " + currency);
}

/** A time that was measured: "420 ms", "4.2 s", "3 min 5 s". */
export function took(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  const s = Math.round(ms / 1000);
  if (s < 3600) return s % 60 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${s / 60} min`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}

/** A round trip: "0.4 ms", "18 ms". */
export const trip = (ms: number): string => (ms < 10 ? ms.toFixed(1) : String(Math.round(ms))) + " ms";

export function bytes(n: number): string {
  if (n < 1 << 20) return `${Math.ceil(n / 1024)} KiB`;
  return n < 1 << 30 ? `${(n / (1 << 20)).toFixed(1)} MiB` : `${(n / (1 << 30)).toFixed(1)} GiB`;
}

const programs: Record<string, string> = { claude: "Claude Code", codex: "Codex", gemini: "Gemini CLI", qwen: "Qwen Code", scripted: "scripted program" };

export function programName(name: string): string {
  return programs[name] ?? name;
}

type Usage = NonNullable<Agent["usage"]>;

/** The program's own total, or the sum of the parts that it does report: reasoning is within the output. */
export function tokensOf(u: Pick<Usage, "totalTokens" | "inputTokens" | "outputTokens" | "cachedReadTokens" | "cachedWriteTokens">): number | undefined {
  if (u.totalTokens !== undefined) return u.totalTokens;
  const parts = [u.inputTokens, u.outputTokens, u.cachedReadTokens, u.cachedWriteTokens].filter((n) => n !== undefined);
  return parts.length > 0 ? parts.reduce((a, b) => a + b, 0) : undefined;
}
