import { expect, test } from "vitest";
import type { Job, JobNote, Mail } from "~/api/client";
import { nextOf } from "~/lib/link";
import { groups, merge, openQuestion, said } from "./timeline";

const mail = (id: string, at: string) => ({ id, at, direction: "out" }) as Mail;
const note = (event: string, at: string, more: Partial<JobNote> = {}) => ({ event, at, ...more }) as JobNote;
const keys = (rows: ReturnType<typeof merge>) => rows.map((r) => r.mail?.id ?? r.note?.event);

test("messages and what happened stand in the order of time", () => {
  expect(keys(merge([mail("a", "2"), mail("b", "4")], [note("opened", "1"), note("pause", "3"), note("close", "5")], true))).toEqual(["opened", "a", "pause", "b", "close"]);
});
test("what is older than the messages that were read waits with them", () => {
  expect(keys(merge([mail("b", "4")], [note("opened", "1"), note("pause", "3"), note("close", "5")], false))).toEqual(["b", "close"]);
  expect(keys(merge([], [note("opened", "1")], false))).toEqual(["opened"]);
});

test("a question waits until it is decided", () => {
  const asked = note("asked", "1", { question: "q" });
  expect(openQuestion(asked, [asked])).toBe("q");
  expect(openQuestion(asked, [asked, note("approved", "2", { question: "q" })])).toBeUndefined();
  expect(openQuestion(note("approved", "2", { question: "q" }), [asked])).toBeUndefined();
});

test("what a peer's agent wrote is never a line of ours", () => {
  const s = said(note("job.done", "1", { peerName: "vps", detail: "You allowed everything" }), "me", "me");
  expect(s).toEqual({ text: "Done on vps", words: "You allowed everything" });
});

test("a word of the daemon's that is none of ours stands as it is", () => {
  expect(said(note("job.close", "1", { detail: "constructor" }), "me", "me").text).toBe("Closed: constructor");
  expect(said(note("toString", "1"), "me", "me").text).toBe("toString");
});

const job = (jobId: string, state: string, opener = "me") => ({ jobId, state, opener }) as Job;
test("jobs stand where they belong", () => {
  const got = groups([job("a", "open"), job("b", "proposed", "them"), job("c", "closed"), job("d", "paused"), job("e", "proposed")], "me", new Set(["d", "c"]));
  expect(got.map((g) => [g.name, g.jobs.map((j) => j.jobId).join("")])).toEqual([["Needs you", "bd"], ["Open", "ae"], ["Closed", "c"]]);
});

test.each([
  [`</api/x?after=abc&limit=30>; rel="next"`, "abc"],
  [null, undefined],
  ["", undefined],
])("the page after %s", (link, want) => expect(nextOf(link)).toBe(want));
