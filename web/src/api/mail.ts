import type { InfiniteData, Query } from "@tanstack/react-query";
import { api, Refusal, unwrap, type Mail, type MessageMove, type Snapshot } from "./client";
import { patchSnapshot, queries, snapshot } from "./snapshot";

type Page = { messages: Mail[] | null; before?: string };

/** How many messages the state of a page keeps. */
const kept = 500;
/** A conversation that grew beyond this begins anew with its last page. */
const grown = 1_000;
/** Up to so many messages are read one by one. */
const few = 8;
/** So many at a time at most: what is left is read next. */
const many = 32;

export const mailKey = (m: { direction: string; id: string }) => m.direction + m.id;

export function mergeMail(old: Mail[], news: Mail[], keep = kept): Mail[] {
  const byKey = new Map(old.map((m) => [mailKey(m), m]));
  for (const m of news) byKey.set(mailKey(m), m);
  return [...byKey.values()].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.pos - b.pos)).slice(-keep);
}

/** Messages that have moved and have yet to be read as they are now. None is forgotten. */
export class Moved {
  private waiting = new Map<string, MessageMove>();

  add(moves: MessageMove[]): void {
    for (const m of moves) {
      this.waiting.delete(mailKey(m)); // the last of them stands last
      this.waiting.set(mailKey(m), m);
    }
  }

  get size(): number {
    return this.waiting.size;
  }

  /**
   * Reads them: a few one by one; of many the last page, in which all new ones are, and of those that
   * are not in it the ones that somebody shows.
   */
  async read(): Promise<Mail[]> {
    const now = new Map(this.waiting);
    const got: Mail[] = [];
    if (now.size > few) {
      const limit = Math.min(1_000, 2 * now.size + 50);
      const { messages } = await unwrap(api.GET("/api/messages", { params: { query: { limit } } }));
      for (const m of messages ?? []) if (this.took(now, m)) got.push(m);
      const shows = shown();
      if (now.size < limit) for (const m of [...now.values()]) if (!shows.has(mailKey(m))) this.done(m, now);
    }
    const rest = [...now.values()].slice(-many);
    const ones = await Promise.all(rest.map((m) => one(m.id)));
    for (const [i, m] of ones.entries()) {
      this.done(rest[i]!, now);
      if (m) got.push(m);
    }
    return got;
  }

  private took(now: Map<string, MessageMove>, m: Mail): boolean {
    const move = now.get(mailKey(m));
    if (move) this.done(move, now);
    return move !== undefined;
  }

  /** What moved again while it was read is read again. */
  private done(move: MessageMove, now: Map<string, MessageMove>): void {
    now.delete(mailKey(move));
    if (this.waiting.get(mailKey(move)) === move) this.waiting.delete(mailKey(move));
  }
}

/** The messages that the page holds, wherever it shows them. */
function shown(): Set<string> {
  const all = new Set((snapshot()?.messages ?? []).map(mailKey));
  for (const query of queries.getQueryCache().findAll({ queryKey: ["messages"] })) {
    const data = query.state.data as (Partial<InfiniteData<Page>> & Partial<Page>) | undefined;
    for (const page of data?.pages ?? (data ? [data as Page] : [])) page.messages?.forEach((m) => all.add(mailKey(m)));
  }
  return all;
}

/** A message, or nothing where the daemon has it no more. */
async function one(id: string): Promise<Mail | undefined> {
  try {
    return await unwrap(api.GET("/api/messages/{id}", { params: { path: { id } } }));
  } catch (cause) {
    if (cause instanceof Refusal && cause.status === 404) return undefined;
    throw cause;
  }
}

/** Puts messages where they are shown: into the state and into every conversation that they are of. */
export function deliver(mail: Mail[]): void {
  if (mail.length === 0) return;
  patchSnapshot((s: Snapshot) => ({ ...s, messages: mergeMail(s.messages ?? [], mail) }));
  for (const query of queries.getQueryCache().findAll({ queryKey: ["messages"] })) {
    const mine = mail.filter((m) => concerns(query.queryKey, m));
    if (mine.length === 0) continue;
    if (!intoPages(query, mine)) void queries.invalidateQueries({ queryKey: query.queryKey, exact: true });
  }
}

function concerns(key: readonly unknown[], m: Mail): boolean {
  switch (key[1]) {
    case "agent":
      return m.from === key[2] || m.to === key[2];
    case "job":
      return m.jobId === key[2];
    case "remote":
      return m.peer === key[2];
  }
  return true;
}

/** Whether the conversation could take them as it is; else it is to be read again. */
function intoPages(query: Query, mail: Mail[]): boolean {
  const data = query.state.data as InfiniteData<Page> | undefined;
  if (query.queryKey.length !== 3 || !data?.pages?.length || query.state.fetchStatus === "fetching") return false;
  const pages = place(data.pages, mail);
  if (pages === "grown") {
    void queries.resetQueries({ queryKey: query.queryKey, exact: true });
    return true;
  }
  query.setData({ ...data, pages }, { manual: true });
  return true;
}

/** The pages, newest first, with messages in their places. Those before the oldest page are not of it. */
export function place(pages: Page[], mail: Mail[]): Page[] | "grown" {
  const out = pages.slice();
  const fresh: Mail[] = [];
  const at = new Map<string, [number, number]>();
  pages.forEach((p, i) => p.messages?.forEach((m, j) => at.set(mailKey(m), [i, j])));
  for (const m of mail) {
    const found = at.get(mailKey(m));
    if (!found) {
      fresh.push(m);
      continue;
    }
    const [i, j] = found;
    const page = out[i]!;
    const messages = page.messages === pages[i]!.messages ? page.messages!.slice() : page.messages!;
    messages[j] = m;
    out[i] = { ...page, messages };
  }
  const first = out[0]!;
  const oldest = first.messages?.[0]?.at;
  const news = fresh.filter((m) => !first.before || oldest === undefined || m.at >= oldest);
  if (news.length === 0) return out;
  if ((first.messages?.length ?? 0) + news.length > grown) return "grown";
  out[0] = { ...first, messages: mergeMail(first.messages ?? [], news, Infinity) };
  return out;
}
