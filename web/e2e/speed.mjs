// How the page stands up to a busy daemon: the longest main-thread task of each view after its
// first layout, while events come; how long the page takes to be of use, and the palette to open.
// Prints one line of JSON. facts: url, seconds for each view, views.
import { assert, facts, flow } from "./lib.mjs";
import { writeFileSync } from "node:fs";

/** In the page, before anything of it: tasks over 50 ms, and when something could first be used. */
function watch() {
  const seen = (window.seen = { tasks: [], useful: 0 });
  new PerformanceObserver((l) => l.getEntries().forEach((e) => seen.tasks.push({ at: e.startTime, took: e.duration }))).observe({ type: "longtask", buffered: true });
  const looks = new MutationObserver(() => {
    if (!document.querySelector('[aria-labelledby="name-a:talker-01"], a[href="/agents/talker-01"], [aria-label="First steps"]')) return;
    looks.disconnect();
    // Painted, and the main thread answers.
    requestAnimationFrame(() => setTimeout(() => (seen.useful = performance.now())));
  });
  document.addEventListener("DOMContentLoaded", () => looks.observe(document.body, { childList: true, subtree: true }));
}

/** The floor: what the same machine makes, at the same time, of a page that does 5 ms of work now and then. */
function floor() {
  const work = (n) => {
    let x = 0;
    for (let i = 0; i < n; i++) x = (x * 31 + i) | 0;
    return x;
  };
  const time = (n) => {
    const t = performance.now();
    window.sink = work(n);
    return performance.now() - t;
  };
  for (let i = 0; i < 20; i++) time(1e6); // compiled
  const n = (5 * 1e7) / time(1e7);
  window.blocks = [];
  setInterval(() => window.blocks.push(time(n)), 50);
}

const median = (all) => [...all].sort((a, b) => a - b)[all.length >> 1] ?? 0;
const round = (n) => Math.round(n * 10) / 10;

/** A click of a page that may be too busy to be seen as still. */
const press = (what) => what.evaluate((e) => e.click());

const views = {
  tree: async (page) => {
    await press(page.locator('nav a[href="/agents"]').first());
    await press(page.getByRole("button", { name: "Tree" }));
    await page.locator('[aria-labelledby="name-a:talker-01"]').waitFor();
  },
  list: async (page) => {
    await press(page.locator('nav a[href="/agents"]').first());
    await press(page.getByRole("button", { name: "List" }));
    await page.getByRole("link", { name: "talker-01", exact: true }).waitFor();
  },
  chat: async (page) => {
    await views.list(page);
    await press(page.getByRole("link", { name: "talker-01", exact: true }));
    await page.getByRole("log", { name: "Conversation" }).getByText("step").first().waitFor();
  },
  jobs: async (page) => {
    await press(page.locator('nav a[href="/jobs"]').first());
    await page.getByRole("log", { name: "Timeline" }).getByText("cents").first().waitFor();
  },
  dashboard: async (page) => {
    await press(page.locator('nav a[href="/dashboard"]').first());
    await page.getByRole("heading", { name: "Activity" }).waitFor();
  },
};

await flow(async (open, browser) => {
  const result = { views: {}, palette: [] };
  let events = 0;
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const beside = await context.newPage();
  await beside.evaluate(floor);
  const page = await context.newPage();
  await page.addInitScript(watch);
  page.on("websocket", (s) => s.on("framereceived", (f) => (events += String(f.payload).split('"topic":').length - 1)));
  await page.goto(facts.url);
  await page.waitForFunction(() => window.seen.useful > 0);
  result.interactive = round(await page.evaluate(() => window.seen.useful));
  const told = async (n) => {
    const until = events + n;
    while (events < until) await page.waitForEvent("websocket", { timeout: 250 }).catch(() => {});
  };
  const client = await context.newCDPSession(page);
  for (const name of facts.views ?? Object.keys(views)) {
    const begun = Date.now();
    await views[name](page);
    await told(250); // the first layout is over
    const first = await page.evaluate(() => window.seen.tasks.splice(0).map((t) => t.took));
    if (facts.profile) {
      await client.send("Profiler.enable");
      await client.send("Profiler.setSamplingInterval", { interval: 500 });
      await client.send("Profiler.start");
    }
    await beside.evaluate(() => void window.blocks.splice(0));
    const from = { at: Date.now(), events };
    await page.waitForTimeout(facts.seconds * 1000);
    const took = (Date.now() - from.at) / 1000;
    const rate = (events - from.events) / took;
    const tasks = await page.evaluate(() => window.seen.tasks.splice(0).map((t) => t.took));
    const blocks = await beside.evaluate(() => window.blocks.splice(0));
    const metrics = Object.fromEntries((await client.send("Performance.getMetrics").catch(() => ({ metrics: [] }))).metrics.map((m) => [m.name, m.value]));
    if (facts.profile) writeFileSync(`${facts.profile}/${name}.cpuprofile`, JSON.stringify((await client.send("Profiler.stop")).profile));
    const now = { longest: round(Math.max(0, ...tasks)), tasks: tasks.length, first: round(Math.max(0, ...first)), rate: Math.round(rate), floor: round(Math.max(0, ...blocks)), floorMedian: round(median(blocks)), settled: from.at - begun, heap: round((metrics.JSHeapUsedSize ?? 0) / 1e6) };
    result.views[name] = now;
    console.error(name, JSON.stringify(now));
  }
  for (let i = 0; i < (facts.palettes ?? 5); i++) {
    await page.evaluate(() => {
      window.opened = new Promise((done) => {
        let at = 0;
        addEventListener("keydown", (e) => e.key === "k" && (at = e.timeStamp), { capture: true });
        const looks = new MutationObserver(() => {
          if (!document.querySelector('[role="combobox"]')) return;
          looks.disconnect();
          requestAnimationFrame(() => {
            const c = new MessageChannel();
            c.port1.onmessage = () => done(performance.now() - at);
            c.port2.postMessage(0);
          });
        });
        looks.observe(document.body, { childList: true, subtree: true });
      });
    });
    await page.keyboard.down("Control");
    await page.keyboard.press("k");
    await page.keyboard.up("Control");
    result.palette.push(round(await page.evaluate(() => window.opened)));
    await page.keyboard.press("Escape");
    await page.getByRole("combobox").waitFor({ state: "detached" });
  }
  console.log(JSON.stringify(result));
  assert.ok(events > 0);
});
