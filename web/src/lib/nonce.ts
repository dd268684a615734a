import { setNonce } from "get-nonce";

/** The page's policy allows no style but its own files and what bears this answer's nonce. */
export function trustStyles(): void {
  const nonce = document.querySelector<HTMLMetaElement>("meta[name=groove-nonce]")?.content;
  if (nonce) setNonce(nonce);
}
