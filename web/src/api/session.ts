// The way in: `groove open` puts a code, good once, into the fragment of the address. It is
// taken out of the address before anything can keep it and traded for a bearer, which
// lives in this tab alone.

const key = "groove.bearer";

export function bearer(): string | null {
  return sessionStorage.getItem(key);
}

export function forget(): void {
  sessionStorage.removeItem(key);
}

function takeCode(): string | null {
  const code = new URLSearchParams(location.hash.slice(1)).get("code");
  if (code) history.replaceState(null, "", location.pathname + location.search);
  return code;
}

/** Trades the code of the address, if there is one. Rejects with a Refusal's cause as text. */
export async function enter(): Promise<void> {
  const code = takeCode();
  if (!code) return;
  forget();
  const answer = await fetch("/api/session", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ code }),
    cache: "no-store",
  });
  if (!answer.ok) return; // without a bearer the page says how to come in
  const said = (await answer.json()) as { token: string };
  sessionStorage.setItem(key, said.token);
}
