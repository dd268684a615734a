import { create, type Store } from "~/lib/store";

/** What the frame has open: at most one thing at a time. */
export type Overlay = "none" | "palette" | "keys" | "spawn" | "pair";

export const overlay: Store<Overlay> = create<Overlay>("none");

/** The role that the spawn dialog is to begin with, "" for none in particular. */
export const spawnRole: Store<string> = create<string>("");

export function openSpawn(role = ""): void {
  spawnRole.set(role);
  overlay.set("spawn");
}
