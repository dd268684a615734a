// How the page stands up to a busy daemon: the longest main-thread task of each view after its
// first layout, while events come; how long the page takes to be of use, and the palette to open.
// Prints one line of JSON. facts: url, events for each view, views; cpu, the bar of a task in ms (0: none);
// cores, those of the machine that the page may run on (absent: it takes what it gets).
import { execFileSync } from "node:child_process";
import { assert, facts, flow, most, shoot, traced } from "./lib.mjs";
import { counted, views } from "./busy.mjs";
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

const round = (n) => Math.round(n * 10) / 10;

/** In the page: from the key to the palette that is painted. */
function opening() {
  window.opened = new Promise((done) => {
    let at = 0;
    const key = (e) => {
      if (e.key !== "k") return;
      at = e.timeStamp;
      performance.mark("palette-key");
    };
    addEventListener("keydown", key, { capture: true });
    const looks = new MutationObserver(() => {
      if (!document.querySelector("[cmdk-root]")) return;
      looks.disconnect();
      removeEventListener("keydown", key, { capture: true });
      requestAnimationFrame(() => {
        const c = new MessageChannel();
        c.port1.onmessage = () => {
          performance.mark("palette-open");
          done(performance.now() - at);
        };
        c.port2.postMessage(0);
      });
    });
    looks.observe(document.body, { childList: true, subtree: true });
  });
}

/** Gives the pages cores. What else runs was kept from some of them by whoever started this. */
async function place(browser, cores) {
  const all = await (await browser.newBrowserCDPSession()).send("SystemInfo.getProcessInfo");
  for (const p of all.processInfo) if (p.type === "renderer") execFileSync("taskset", ["-acp", cores, String(p.id)]);
}

async function profile(client, name, run) {
  if (!facts.profile) return run();
  await client.send("Profiler.enable");
  await client.send("Profiler.setSamplingInterval", { interval: 500 });
  await client.send("Profiler.start");
  await run();
  writeFileSync(`${facts.profile}/${name}.cpuprofile`, JSON.stringify((await client.send("Profiler.stop")).profile));
}

await flow(async (open, browser) => {
  const result = { views: {}, palette: [] };
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const beside = await context.newPage();
  await beside.evaluate(floor);
  const page = await context.newPage();
  const seen = counted(page);
  await page.addInitScript(watch);
  if (facts.cores) await place(browser, facts.cores);
  const load = await traced(browser, page, async () => {
    await page.goto(facts.url);
    await page.waitForFunction(() => window.seen.useful > 0);
  });
  if (facts.profile) writeFileSync(`${facts.profile}/load.trace.json`, load.trace);
  result.load = { longest: most(load.tasks.map((t) => t.took)), cpu: most(load.tasks.map((t) => t.cpu)), all: round(load.tasks.reduce((sum, t) => sum + t.cpu, 0)) };
  result.interactive = round(await page.evaluate(() => window.seen.useful));
  if (facts.cores) await place(browser, facts.cores); // its site has a process of its own
  const client = await context.newCDPSession(page);
  const long = () => page.evaluate(() => window.seen.tasks.splice(0).map((t) => t.took));

  for (const name of facts.views) {
    await views[name](page);
    await seen.more(facts.events / 10); // the first layout is over
    const first = await long();
    await beside.evaluate(() => void window.blocks.splice(0));
    const from = { at: Date.now(), events: seen.events };
    let took;
    const { tasks, trace } = await traced(browser, page, () => profile(client, name, async () => {
      await seen.more(facts.events);
      took = Date.now() - from.at;
    }));
    const over = await long();
    const blocks = await beside.evaluate(() => window.blocks.splice(0));
    if (facts.profile) writeFileSync(`${facts.profile}/${name}.trace.json`, trace);
    await shoot(page, "crowd-" + name);
    result.views[name] = {
      longest: most(tasks.map((t) => t.took)),
      cpu: most(tasks.map((t) => t.cpu)),
      over: over.length, // tasks over 50 ms on the clock
      share: round((100 * tasks.reduce((sum, t) => sum + t.cpu, 0)) / took), // of a core
      first: most(first),
      rate: Math.round((1000 * (seen.events - from.events)) / took),
      floor: most(blocks), // 5 ms of work of a page beside it
    };
  }
  await profile(client, "palette", async () => {
    for (let i = 0; i < 9; i++) {
      let took;
      const { tasks, marks } = await traced(browser, page, async () => {
        await page.evaluate(opening);
        await page.keyboard.press("Control+k");
        took = await page.evaluate(() => window.opened);
      });
      const cpu = tasks.filter((t) => t.at + t.took >= marks["palette-key"] && t.at <= marks["palette-open"]).reduce((sum, t) => sum + t.cpu, 0);
      result.palette.push({ took: round(took), cpu: round(cpu) });
      await page.keyboard.press("Escape");
      await page.locator("[cmdk-root]").waitFor({ state: "detached" });
    }
  });
  console.log(JSON.stringify({ ...result, topics: seen.topics }));
  if (!facts.cpu || facts.profile) return; // to profile is dear itself
  for (const [name, v] of Object.entries(result.views)) assert.ok(v.cpu <= facts.cpu, `a task of ${name} took the processor ${v.cpu} ms, over ${facts.cpu}`);
});
