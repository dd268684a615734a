import { describe, expect, test } from "vitest";
import { cast, empty, freeName, globsOf, lacks, linkOf, long, nameFault, positive, requestOf, short, splitPath } from "./draft";

test("a proposed name is nobody's, of the living and of the ended", () => {
  expect(freeName("backend", ["backend-1", "backend-3"])).toBe("backend-2");
  expect(freeName("", [])).toBe("agent-1");
  expect(nameFault(freeName("x".repeat(63), []), [])).toBe("");
});

test.each([
  ["", "empty"],
  ["Backend", "capitals"],
  ["-x", "begins with a sign"],
  ["a b", "a space"],
  ["a".repeat(64), "too long"],
  ["user", "the user"],
  ["docs", "taken"],
])("%j is no name: %s", (name) => expect(nameFault(name, ["docs"])).not.toBe(""));

test.each([
  ["~/code/sh", "~/code", "sh"],
  ["/", "/", ""],
  ["/us", "/", "us"],
  ["~", "~", ""],
  ["co", "", "co"],
  ["/a/b/", "/a/b", ""],
])("%s is typed in %s", (path, parent, begun) => expect(splitPath(path)).toEqual({ parent, begun }));

test("paths are shown from the home on, and sent whole", () => {
  expect(short("/home/mira/code", "/home/mira")).toBe("~/code");
  expect(short("/home/mirabel", "/home/mira")).toBe("/home/mirabel");
  expect(short("/etc", "/")).toBe("/etc");
  expect(long(" ~/code/ ", "/home/mira")).toBe("/home/mira/code");
  expect(long("/", "/home/mira")).toBe("/");
  expect(long("~mira", "/home/mira")).toBe("~mira");
});

test("numbers are above nothing, or none", () => {
  expect(["2", " 1,5 ", "0", "-3", "x", "", "1e999"].map(positive)).toEqual([2, 1.5, 0, 0, 0, 0, 0]);
});

test("a glob may hold spaces, a line is one", () => expect(globsOf(" src/** \n\nmy docs/*.md")).toEqual(["src/**", "my docs/*.md"]));

describe("the request", () => {
  const draft = { ...empty, dir: "~/code", task: " Do it. " };
  test("leaves out what was left empty", () => {
    expect(JSON.parse(JSON.stringify(requestOf(draft, "agent-1", "claude", "/h")))).toEqual({ name: "agent-1", program: "claude", dir: "/h/code", task: "Do it." });
  });
  test("says what was filled in", () => {
    const full = { ...draft, role: "backend", scope: "api/**", budget: "5", bound: "cost" as const, worktree: true, rules: [{ answer: "allow" as const, kind: "read", pattern: " " }] };
    expect(requestOf(full, "b", "claude", "/h")).toMatchObject({ role: "backend", scope: ["api/**"], budget: { cost: 5 }, worktree: true, rules: [{ answer: "allow", kind: "read", pattern: undefined }] });
  });
  test("a script is the scripted program's alone", () => {
    const s = { ...draft, script: "~/s.yaml" };
    expect(requestOf(s, "a", "scripted", "/h").script).toBe("/h/s.yaml");
    expect(requestOf(s, "a", "claude", "/h").script).toBeUndefined();
  });
});

describe("the link", () => {
  const linked = { ...empty, linked: true, peer: "vps", link: "ambassador" as const };
  test("is none without a peer", () => expect(linkOf({ ...linked, peer: "" })).toBeUndefined());
  test("leaves the choice of agents to the daemon", () => expect(linkOf(linked)).toEqual({ peer: "vps", agents: undefined, mode: "ambassador", ttl: 7200, idle: 900, keepAlive: false }));
  test("names those that are chosen and those that are typed", () => expect(linkOf({ ...linked, agents: ["a"], others: "b, c" })?.agents).toEqual(["a", "b", "c"]));
});

test.each([
  [{}, "", ""],
  [{ dir: "" }, "", "Choose a directory"],
  [{ role: "ambassador" }, "", "An ambassador speaks with a peer: choose one"],
  [{ linked: true, peer: "" }, "", "Choose the peer to connect to"],
  [{ linked: true, peer: "p" }, "", "A direct link is to one agent: choose it"],
  [{ linked: true, peer: "p", agents: ["a", "b"] }, "", "A direct link is to one agent: choose it"],
  [{ linked: true, peer: "p", agents: ["a"] }, "", ""],
  [{ linked: true, peer: "p", link: "ambassador" as const, agents: [] }, "", "Choose which of the peer's agents take part"],
  [{ linked: true, peer: "p", link: "ambassador" as const }, "", ""],
  [{}, "scripted", "Name the script to play"],
])("%j %s lacks: %s", (part, program, said) => expect(lacks({ ...empty, dir: "/p", ...part }, "agent-1", program || "claude", [])).toBe(said));

test("an ambassador is for a peer, and who stops being one is not", () => {
  const d = { ...empty, ...cast(empty, "ambassador", "vps") };
  expect(d).toMatchObject({ role: "ambassador", linked: true, peer: "vps", link: "ambassador" });
  expect(cast(d, "docs", "vps")).toMatchObject({ role: "docs", linked: false, link: "direct" });
  expect(cast({ ...empty, linked: true, agents: ["a"] }, "docs", "vps")).toEqual({ role: "docs" });
  expect(cast(empty, "ambassador", "")).toMatchObject({ linked: false, peer: "" });
});
