import { useNavigate } from "@tanstack/react-router";
import { Bell, BellOff } from "lucide-react";
import { useEffect, useRef } from "react";
import type { Approval } from "~/api/client";
import { useSnapshot } from "~/api/state";
import { note, turnOff, turnOn, useNotes } from "~/lib/notify";
import { Button } from "~/ui/button";
import { read } from "./detail";
import { nameOf } from "./words";

/** What a note says: what is asked, and the names of who is concerned. Never a word that a program or a peer wrote. */
export function sayOf(a: Approval, peer: string): { title: string; body: string } {
  const d = read(a);
  return { title: "groove: " + nameOf(a, d), body: [d.agent, peer || d.peerName].filter(Boolean).join(", ") || "A question waits for you." };
}

/** Tells of each question once, when it comes while the tab is hidden; a click leads to it. */
export function Notifier() {
  const asked = useSnapshot((s) => s.approvals);
  const peers = useSnapshot((s) => s.peers);
  const navigate = useNavigate();
  const known = useRef<Set<string>>(undefined);
  useEffect(() => {
    if (!asked) return;
    const before = known.current;
    known.current = new Set(asked.map((a) => a.id));
    for (const a of asked) {
      if (!before || before.has(a.id)) continue; // what was there when the page came is in view, or was told
      const { title, body } = sayOf(a, (peers ?? []).find((p) => p.id === read(a).peer)?.name ?? "");
      note(a.id, title, body, () => void navigate({ to: "/approvals/$id", params: { id: a.id } }));
    }
  }, [asked, peers, navigate]);
  return null;
}

/** Offers notes once, where questions are. The browser asks only after the click. */
export function NotifyHint() {
  if (useNotes() !== "ask") return null;
  return (
    <div className="flex flex-none items-center gap-2 border-b border-border bg-sunken px-3.5 py-2 text-xs text-text-2">
      <Bell size={14} aria-hidden className="flex-none" />
      <span className="flex-1">Be told of a question while this tab is hidden?</span>
      <Button size="sm" onClick={() => void turnOn()}>
        Notify me
      </Button>
    </div>
  );
}

const says = {
  unable: "This browser shows no notes.",
  ask: "While this tab is hidden, a note tells of a question: what is asked and by whom, none of what was written.",
  denied: "The browser forbids notes for this page: allow them in its settings of this address.",
  off: "Notes are off in this browser.",
  on: "While this tab is hidden, a note tells of a question: what is asked and by whom, none of what was written.",
};

/** The setting, for the settings' page. */
export function NotifySetting() {
  const notes = useNotes();
  return (
    <section aria-labelledby="notifications" className="flex flex-col gap-2">
      <h1 id="notifications" className="text-xl">
        Notifications
      </h1>
      <p className="max-w-[68ch] text-text-2">{says[notes]}</p>
      {(notes === "ask" || notes === "off") && (
        <Button className="self-start" onClick={() => void turnOn()}>
          <Bell size={14} /> Notify me
        </Button>
      )}
      {notes === "on" && (
        <Button className="self-start" onClick={turnOff}>
          <BellOff size={14} /> No notes in this browser
        </Button>
      )}
    </section>
  );
}
