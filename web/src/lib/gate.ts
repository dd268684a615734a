import { own } from "./own";

const modes: Record<string, string> = {
  kernel: "The kernel drops what does not come from a peer or an address that is armed: a port scan sees nothing.",
  reset: "The daemon accepts and resets what does not come from a peer or an address that is armed: a port scan sees an open port, and nobody gets in.",
};

/** What a gate mode means for strangers. */
export function gateMeans(mode: string): string {
  return own(modes, mode) ?? "";
}
