// What every flow uses: a browser, a page that was let in, and errors that fail the flow.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

export { assert };
export const facts = JSON.parse(process.env.GROOVE_FACTS);

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Has the test do something by name, and waits until it is done. */
export async function ask(name) {
  console.log("@" + name);
  await answers.next();
}

const patience = 20_000;

/** Runs the flow in a browser of its own, with a clock that can be moved where that is asked for. Whatever a page complains of fails it. */
export async function flow(run) {
  const browser = await chromium.launch({ executablePath: facts.chromium, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
  const complaints = [];
  const open = async (url, { clock, ...options } = {}) => {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce", ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(patience);
    if (clock) await page.clock.install(); // the test moves the page's time on
    page.on("pageerror", (e) => complaints.push("error: " + e.message));
    page.on("console", (m) => {
      // A daemon that is away makes the browser itself complain of its connections.
      if (m.type() === "error" && !/ERR_CONNECTION_REFUSED|WebSocket connection|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|status of 4|ERR_INCOMPLETE/.test(m.text())) complaints.push("console: " + m.text());
    });
    await page.goto(url);
    return page;
  };
  try {
    await run(open, browser);
    assert.deepEqual(complaints, []);
  } catch (cause) {
    for (const [i, context] of browser.contexts().entries()) {
      for (const page of context.pages()) {
        console.error(`--- page ${i}: ${page.url()}\n` + (await page.locator("body").innerText().catch(() => "")).slice(0, 3000));
        if (process.env.GROOVE_FAILED_SHOTS) await page.screenshot({ path: `${process.env.GROOVE_FAILED_SHOTS}/failed-${i}.png` }).catch(() => {});
      }
    }
    console.error(complaints.join("\n"));
    throw cause;
  } finally {
    await browser.close();
    process.stdin.destroy();
  }
}

/** Fails where axe-core finds something serious. */
export async function accessible(page, where) {
  if (!(await page.evaluate(() => "axe" in window))) {
    // Not by a script element: the page's policy allows none but its own.
    await page.evaluate(readFileSync(new URL("../node_modules/axe-core/axe.min.js", import.meta.url), "utf8"));
  }
  const found = await page.evaluate(() => window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] }));
  const bad = found.violations.filter((v) => v.impact === "serious" || v.impact === "critical");
  assert.deepEqual(bad.map((v) => `${where}: ${v.id}: ${v.nodes.map((n) => n.target.join(" ")).slice(0, 3).join(", ")}`), []);
}

/** Takes a picture, where a folder for that is named. */
export async function shoot(page, name) {
  if (facts.shots) await page.screenshot({ path: `${facts.shots}/${name}.jpg`, quality: 85 });
}

/** Puts the page into a theme and waits until its colours are that theme's. */
export async function wear(page, theme) {
  await page.evaluate(async (t) => {
    document.documentElement.dataset.theme = t;
    await new Promise(requestAnimationFrame);
    await Promise.all(document.getAnimations().map((a) => a.finished.catch(() => {})));
  }, theme);
}

/** Goes to a view by the rail, or on a phone by the bar at the foot and its More. */
export async function go(page, name) {
  const main = page.getByRole("navigation", { name: "Main" });
  const link = main.getByRole("link", { name });
  if (await link.isVisible()) return link.click();
  await main.getByRole("button", { name: "More" }).click();
  await page.locator("#more").getByRole("link", { name }).click();
}

/**
 * Fails where something stands out of the page at its sides, or a control is cut off by what it lies in. The
 * page itself never scrolls sideways, so its width alone says nothing.
 */
export async function fits(page, where) {
  await page.evaluate(() => Promise.all(document.getAnimations().filter((a) => a.effect?.getComputedTiming().iterations !== Infinity).map((a) => a.finished.catch(() => {}))));
  const bad = await page.evaluate(() => {
    const out = [];
    const root = document.documentElement;
    if (root.scrollWidth > root.clientWidth) out.push(`the page is ${root.scrollWidth} px wide of ${root.clientWidth}`);
    const control = "button, a, input, select, textarea, summary, [role=tab], [role=menuitem], [role=option], [role=radio], [role=switch]";
    for (const e of document.body.querySelectorAll("*")) {
      if (e.closest(".react-flow, svg, .sr-only, option")) continue;
      const box = e.getBoundingClientRect();
      if (box.width < 1 || box.height < 1 || getComputedStyle(e).visibility === "hidden") continue;
      const name = `${e.tagName.toLowerCase()} “${(e.getAttribute("aria-label") ?? e.textContent ?? "").trim().slice(0, 40)}” ${Math.round(box.left)}–${Math.round(box.right)}`;
      for (let up = e.parentElement; ; up = up.parentElement) {
        if (!up || up === document.body) {
          if (box.right > innerWidth + 1 || box.left < -1) out.push(`${name} is outside of ${innerWidth} px`);
          break;
        }
        const style = getComputedStyle(up);
        if (/auto|scroll/.test(style.overflowX)) break; // it can be scrolled to
        if (style.textOverflow === "ellipsis") break; // shortened, and shows it
        if (!/hidden|clip/.test(style.overflowX) || !e.matches(control)) continue;
        const frame = up.getBoundingClientRect();
        if (box.right > frame.right + 1 || box.left < frame.left - 1) {
          out.push(`${name} is cut off at ${Math.round(frame.left)}–${Math.round(frame.right)}`);
          break;
        }
      }
    }
    return out.slice(0, 8);
  });
  assert.deepEqual(bad, [], where);
}

/** A user without a pointer. Whatever has the focus must be seen to have it. */
export function keyboard(page) {
  const focused = (what) => what.evaluate((e) => e === document.activeElement || (e.matches("[role=radiogroup]") && e.contains(document.activeElement)));
  const seen = async () => {
    const bad = await page.evaluate(() => {
      const e = document.activeElement;
      if (!e || e === document.body || e.id === "main") return "";
      for (let up = e, i = 0; up && i < 4; up = up.parentElement, i++) {
        const s = getComputedStyle(up);
        if (s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 1.5) return "";
      }
      return `${e.tagName.toLowerCase()} “${(e.getAttribute("aria-label") ?? e.textContent ?? "").trim().slice(0, 40)}”`;
    });
    assert.equal(bad, "", "it has the focus, and nothing shows that");
  };
  const press = async (...keys) => {
    for (const key of keys) await page.keyboard.press(key, { delay: 20 });
  };
  return {
    press,
    type: (text) => page.keyboard.type(text),
    seen,
    /** Goes on by Tab until what has the focus. */
    async to(what, key = "Tab", most = 120) {
      await what.waitFor();
      for (let i = 0; i < most; i++) {
        if (await focused(what)) return seen();
        await press(key);
        await seen();
      }
      assert.fail(`${key} does not lead to ${what}`);
    },
    async fill(what, text) {
      await this.to(what);
      await page.keyboard.type(text);
    },
    /** Walks a group by its arrows until one is chosen. */
    async choose(group, want) {
      await this.to(group);
      for (let i = 0; i < 14 && !(await want.isChecked()); i++) await page.keyboard.press("ArrowRight", { delay: 80 });
      assert.ok(await want.isChecked(), `arrows do not lead to ${want}`);
    },
    async enter(what) {
      await this.to(what);
      await press("Enter");
    },
    /** Fails where Tab leads out of a dialog, one way or the other. */
    async trapped(dialog) {
      for (const key of ["Tab", "Shift+Tab"])
        for (let i = 0; i < 60; i++) {
          await press(key);
          assert.ok(await dialog.evaluate((d) => d.contains(document.activeElement)), `${key} leads out of the dialog`);
          await seen();
        }
    },
    /** Fails where what has not the focus. */
    async at(what, why) {
      await page.waitForFunction((e) => e === document.activeElement, await what.elementHandle(), { timeout: 5000 }).catch(async () => {
        assert.fail(`${why}; it is at ${await page.evaluate(() => document.activeElement?.outerHTML.slice(0, 200))}`);
      });
    },
  };
}

/**
 * Runs something under a trace of the browser. Tells the tasks of the page's main thread, on the clock and
 * of the processor in ms (what others on the machine took is not in the latter), and the page's marks.
 */
export async function traced(browser, page, run) {
  await browser.startTracing(page, { categories: ["toplevel", "disabled-by-default-devtools.timeline", "blink.user_timing"] });
  let trace;
  try {
    await run();
  } finally {
    trace = await browser.stopTracing();
  }
  const { traceEvents } = JSON.parse(trace.toString());
  const { origin } = new URL(page.url());
  // Where the page is, or came to be while it was traced.
  const frames = traceEvents.flatMap((e) => [...(e.args?.data?.frames ?? []), e.args?.data ?? {}]);
  const pid = frames.findLast((f) => f.url?.startsWith?.(origin) && f.processId)?.processId;
  const main = traceEvents.find((e) => e.name === "thread_name" && e.args.name === "CrRendererMain" && e.pid === pid);
  assert.ok(main, "the trace knows no main thread of the page");
  const tasks = traceEvents.filter((e) => e.name === "RunTask" && e.pid === pid && e.tid === main.tid).map((e) => ({ at: e.ts / 1000, took: (e.dur ?? 0) / 1000, cpu: (e.tdur ?? 0) / 1000 }));
  assert.ok(tasks.length > 0, "the trace knows no task of the page");
  const marks = Object.fromEntries(traceEvents.filter((e) => e.cat.includes("blink.user_timing") && e.pid === pid).map((e) => [e.name, e.ts / 1000]));
  return { tasks, marks, trace };
}

export const most = (all) => Math.round(10 * Math.max(0, ...all)) / 10;
