// The inbox: all that is needed to decide, several reads at once and nothing else, keys that wait until
// a question could be read, two tabs and a terminal of which the first answer stands, and a note while
// nobody looks.
import { accessible, ask, assert, facts, flow, shoot, wear } from "./lib.mjs";

/** A browser whose notes the flow can see and click; it allows them when it is asked. */
const notes = () => {
  window.shown = [];
  window.Notification = class {
    static permission = "default";
    static async requestPermission() {
      window.askedAfterClick = navigator.userActivation.isActive;
      return (this.permission = "granted");
    }
    constructor(title, options) {
      window.shown.push({ title, ...options, note: this });
    }
    close() {}
  };
  let away = false;
  Object.defineProperty(document, "hidden", { get: () => away });
  window.leave = (now) => (away = now);
};

await flow(async (open) => {
  const page = await open("about:blank");
  await page.addInitScript(notes);
  await page.goto(facts.urls[0]);
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: /Approvals/ }).click();
  const list = page.getByRole("region", { name: "Questions" });
  const view = page.getByRole("region", { name: "The question" });
  const row = (p, text) => p.getByRole("region", { name: "Questions" }).getByRole("button", { name: text });

  // A command, with all there is to know.
  await row(page, /tests asks/).click();
  await view.getByRole("heading", { name: "Let tests run a command?" }).waitFor();
  await view.getByText("pnpm e2e --project=checkout").last().waitFor();
  await view.getByText(/expires in 23 h/).waitFor();
  await view.getByText("it changes, runs or sends something").waitFor();
  await view.getByText("None in this session").waitFor();
  // A change, line by line.
  await row(page, /editor asks/).click();
  await view.getByText("- amount: number;", { exact: false }).first().waitFor();
  await view.getByText("amountCents: number;").waitFor();
  for (const theme of ["light", "dark"]) {
    await wear(page, theme);
    await accessible(page, `Approvals, ${theme}`);
    await shoot(page, `approvals-view-${theme}`);
  }
  // Outside of its directory: not among those that are decided together.
  await row(page, /spy asks/).click();
  await view.getByText("may lie outside its directory").waitFor();
  await view.getByText("never together with others: it may lie outside").waitFor();

  // Several reads at once: those that are picked, and no others.
  const reads = list.getByRole("region", { name: "Reads, may be decided together" });
  assert.equal(await reads.getByRole("checkbox", { name: /^Choose/ }).count(), 3);
  assert.ok(await reads.getByRole("button", { name: "Approve" }).isDisabled());
  await reads.getByRole("checkbox", { name: "Choose reader-1 asks: read notes.md" }).check();
  await reads.getByRole("checkbox", { name: "Choose reader-2 asks: read notes.md" }).check();
  await reads.getByRole("button", { name: "Approve 2" }).click();
  await page.getByText("2 approved").waitFor();
  await reads.waitFor({ state: "detached" });
  await row(page, /reader-3 asks/).waitFor();

  // A terminal answers what is in view: it stays in view and says so.
  await row(page, /editor asks/).click();
  await view.getByRole("button", { name: /Approve/ }).waitFor();
  await ask("terminal");
  await view.getByText("Approved in another tab or at a terminal").waitFor();
  await view.getByRole("button", { name: /Next question/ }).waitFor();

  // By key: not before it could be read.
  await row(page, /tests asks/).click();
  const waits = (text) => row(page, text).waitFor();
  const early = await page.evaluate(async () => {
    const press = (key) => dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    const shown = () => document.querySelector("article[aria-label]")?.getAttribute("aria-label");
    const frame = () => new Promise(requestAnimationFrame);
    const before = shown();
    press("j");
    while (shown() === before) await frame();
    const at = performance.now();
    while (performance.now() - at < 150) await frame();
    press("a");
    press("d");
    return performance.now() - at;
  });
  if (early < 350) for (const text of [/tests asks/, /spy asks/, /reader-3 asks/, /Job proposed/]) await waits(text);
  await row(page, /reader-3 asks/).click();
  await view.locator("kbd", { hasText: "D" }).waitFor();
  await page.keyboard.press("d");
  await view.getByText("Declined by you, in this tab").waitFor();

  // Two tabs on one question: the first answer stands, the other tab says so and so does its own late answer.
  const second = await open(facts.urls[1]);
  for (const p of [page, second]) {
    await p.getByRole("navigation", { name: "Main" }).getByRole("link", { name: /Approvals/ }).click();
    await row(p, /Job proposed by vps/).click();
    await p.getByText(/may write to tests here/).waitFor();
  }
  await shoot(page, "approvals-contract");
  let release;
  const held = new Promise((r) => (release = r));
  await second.route("**/api/approvals/*", async (route) => {
    if (route.request().method() === "POST") await held;
    await route.continue();
  });
  const there = second.getByRole("region", { name: "The question" });
  await there.getByRole("button", { name: /^Allow/ }).click();
  await view.getByRole("button", { name: /^Decline/ }).click();
  await view.getByText("Declined by you, in this tab").waitFor();
  await there.getByText("Declined in another tab or at a terminal").waitFor();
  release();
  await there.getByText("Your answer came too late and changed nothing.").waitFor();
  await there.getByText("approval.answered").waitFor();
  await accessible(second, "Decided in another tab");
  await shoot(second, "approvals-elsewhere");

  // Decided ones can be read again.
  await list.getByRole("button", { name: "Decided" }).click();
  await row(page, /Job proposed by vps/).click();
  await view.getByText("Declined by you, in this tab").waitFor();
  await list.getByRole("button", { name: /Waiting/ }).click();

  // Notes: asked for by a click, shown while nobody looks, without a word that others wrote.
  assert.equal(await page.evaluate(() => window.askedAfterClick), undefined, "the browser was asked before any click");
  await list.getByRole("button", { name: "Notify me" }).click();
  assert.equal(await page.evaluate(() => window.askedAfterClick), true);
  await page.evaluate(() => window.leave(true));
  await ask("ask");
  await page.waitForFunction(() => window.shown.length > 0);
  const shown = await page.evaluate(() => window.shown.map(({ title, body, tag }) => ({ title, body, tag })));
  assert.deepEqual(shown.map(({ title, body }) => ({ title, body })), [{ title: "groove: Read", body: "reader-1" }]);
  await page.evaluate(() => {
    window.leave(false);
    window.shown[0].note.onclick();
  });
  await page.waitForURL((u) => u.pathname === `/approvals/${shown[0].tag}`);
  await view.getByRole("heading", { name: "Let reader-1 read?" }).waitFor();
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Settings" }).click();
  await page.getByRole("navigation", { name: "Settings" }).getByRole("link", { name: "Notifications" }).click();
  await page.getByRole("button", { name: "No notes in this browser" }).click();
  await page.getByText("Notes are off in this browser.").waitFor();

  // A phone.
  await page.setViewportSize({ width: 390, height: 800 });
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: /Approvals/ }).click();
  await row(page, /tests asks/).click();
  await view.getByRole("heading", { name: "Let tests run a command?" }).waitFor();
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 390, "wider than a phone");
  await shoot(page, "approvals-phone");
  await page.getByRole("button", { name: "All questions" }).click();
  await row(page, /spy asks/).waitFor();
});
