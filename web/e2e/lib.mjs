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

/** Runs the flow in a browser of its own. Whatever a page complains of fails it. */
export async function flow(run) {
  const browser = await chromium.launch({ executablePath: facts.chromium, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
  const complaints = [];
  const open = async (url, options = {}) => {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce", ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(patience);
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

/**
 * Runs something under a trace of the browser. Tells the tasks of the page's main thread, on the clock and
 * of the processor in ms (what others on the machine took is not in the latter), and the page's marks.
 */
export async function traced(browser, page, run) {
  const origin = new URL(page.url()).origin;
  await browser.startTracing(page, { categories: ["toplevel", "disabled-by-default-devtools.timeline", "blink.user_timing"] });
  let trace;
  try {
    await run();
  } finally {
    trace = await browser.stopTracing();
  }
  const { traceEvents } = JSON.parse(trace.toString());
  const frames = traceEvents.flatMap((e) => e.args?.data?.frames ?? []);
  const pid = frames.find((f) => f.url?.startsWith(origin))?.processId;
  const main = traceEvents.find((e) => e.name === "thread_name" && e.args.name === "CrRendererMain" && e.pid === pid);
  assert.ok(main, "the trace knows no main thread of the page");
  const tasks = traceEvents.filter((e) => e.name === "RunTask" && e.pid === pid && e.tid === main.tid).map((e) => ({ at: e.ts / 1000, took: (e.dur ?? 0) / 1000, cpu: (e.tdur ?? 0) / 1000 }));
  assert.ok(tasks.length > 0, "the trace knows no task of the page");
  const marks = Object.fromEntries(traceEvents.filter((e) => e.cat.includes("blink.user_timing") && e.pid === pid).map((e) => [e.name, e.ts / 1000]));
  return { tasks, marks, trace };
}

export const most = (all) => Math.round(10 * Math.max(0, ...all)) / 10;
