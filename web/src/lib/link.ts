/** Where the page after this one begins, of a Link header. */
export function nextOf(link: string | null): string | undefined {
  const at = /<([^>]*)>; rel="next"/.exec(link ?? "")?.[1];
  return at ? (new URL(at, "http://x").searchParams.get("after") ?? undefined) : undefined;
}
