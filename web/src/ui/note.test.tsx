/// <reference types="vite/client" />
import { act, cleanup, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import { Refusal, Unreachable, type Problem } from "~/api/client";
import document from "../../../docs/errors.md?raw";
import { Refused } from "./note";
import { sayFailed, Toasts } from "./toast";

afterEach(cleanup);

// The kinds are those of the document, which a test compares with the code's.
const row = /^\| `([\w.]+)` \| (\d{3}) \| (.+?) \| (.+) \|$/gm;
const kinds = [...document.matchAll(row)].map(([, kind, status, why, fix]) => ({ kind: kind!, status: Number(status), why: why!, fix: fix! }));

const problem = (over: Partial<Problem>): Problem => ({ status: 409, kind: "state.conflict", title: "Conflict", detail: "stop: it has ended", ...over });

describe("a refusal shows its kind, what was refused, why, and the way out", () => {
  it("knows all kinds", () => expect(kinds.length).toBeGreaterThan(60));
  it.each(kinds)("$kind", ({ kind, status, why, fix }) => {
    const cause = new Refusal(problem({ status, kind, detail: `request: ${why}`, fix }));
    render(<><Refused what="Not done." cause={cause} /><Toasts /></>);
    const note = screen.getByRole("alert");
    expect(note.textContent).toContain("Not done.");
    expect(note.textContent).toContain(kind);
    expect(note.textContent).toContain(why);
    expect(note.textContent).toContain(`What helps: ${fix}`);
    act(() => sayFailed("Not done", cause));
    const toast = screen.getAllByText(/^Not done: /).at(-1)!;
    for (const part of [kind, why, fix]) expect(toast.textContent).toContain(part);
  });
  it("a kind that it does not know is shown as it is", () => {
    render(<Refused what="Not done." cause={new Refusal(problem({ kind: "of.tomorrow" }))} />);
    expect(screen.getByRole("alert").textContent).toContain("of.tomorrow");
  });
  it("names the members that cannot be used", () => {
    render(<Refused what="Not done." cause={new Refusal(problem({ kind: "payload.invalid", errors: [{ path: "/scope/0", message: "is no glob" }, { path: "?limit", message: "is over 1000" }] }))} />);
    for (const text of ["/scope/0", "is no glob", "?limit", "is over 1000"]) expect(screen.getByRole("alert").textContent).toContain(text);
  });
  it("says when to try again", () => {
    render(<Refused what="Not sent." cause={new Refusal(problem({ kind: "rate.exceeded", retryAfter: 61_000 }))} />);
    expect(screen.getByRole("alert").textContent).toContain("Try again in 1 min");
  });
  it("without a fix it names none", () => {
    render(<Refused what="Not done." cause={new Refusal(problem({}))} />);
    expect(screen.getByRole("alert").textContent).not.toContain("What helps");
  });
  it("a daemon that does not answer has no kind", () => {
    render(<Refused what="Not done." cause={new Unreachable("the daemon does not answer")} />);
    expect(screen.getByRole("alert").textContent).toContain("the daemon does not answer");
    expect(screen.queryByText("internal")).toBeNull();
  });
  it("text of a refusal is text", () => {
    render(<Refused what="Not done." cause={new Refusal(problem({ detail: "<img src=x onerror=alert(1)>", fix: "<b>x</b>" }))} />);
    const note = screen.getByRole("alert");
    expect(note.querySelector("img, b")).toBeNull();
    expect(note.textContent).toContain("<img src=x onerror=alert(1)>");
  });
});
