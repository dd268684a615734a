import { create } from "./store";

/** Whether the browser shows notes of ours: its own word, and the user's wish, which this browser keeps. */
export type Notes = "unable" | "ask" | "denied" | "off" | "on";

const wish = "groove.notify";

function now(): Notes {
  if (typeof Notification === "undefined") return "unable";
  if (Notification.permission === "denied") return "denied";
  if (Notification.permission === "default") return "ask";
  return localStorage.getItem(wish) === "off" ? "off" : "on";
}

const state = create<Notes>(now());
export const useNotes = state.use;

/** Asks the browser, which it may do only after a click of the user's. */
export async function turnOn(): Promise<void> {
  localStorage.removeItem(wish);
  if (typeof Notification !== "undefined" && Notification.permission === "default") await Notification.requestPermission();
  state.set(now());
}

export function turnOff(): void {
  localStorage.setItem(wish, "off");
  state.set(now());
}

/** Shows a note while nobody looks at the page. A click brings the page to the front. */
export function note(tag: string, title: string, body: string, onClick: () => void): void {
  if (now() !== "on" || !document.hidden) return;
  const n = new Notification(title, { body, tag, icon: "/icon-192.png" });
  n.onclick = () => {
    window.focus();
    n.close();
    onClick();
  };
}
