// An hour with a crowd: the page goes from view to view, and once a minute its heap is measured after a
// forced collection, in the tree. Prints a line of JSON a sample. facts: url, samples, every (ms).
import { facts, flow } from "./lib.mjs";
import { counted, views } from "./busy.mjs";

await flow(async (open) => {
  const page = await open(facts.url, { reducedMotion: "no-preference" });
  const seen = counted(page);
  const client = await page.context().newCDPSession(page);
  const order = Object.values(views);
  const begun = Date.now();
  for (let i = 1, before = { at: begun, events: 0 }; i <= facts.samples; i++) {
    await order[i % order.length](page);
    await page.waitForTimeout(Math.max(0, begun + i * facts.every - Date.now()));
    await views.tree(page);
    for (let twice = 0; twice < 2; twice++) await client.send("HeapProfiler.collectGarbage");
    const { usedSize } = await client.send("Runtime.getHeapUsage");
    const { nodes, jsEventListeners } = await client.send("Memory.getDOMCounters");
    const now = { at: Date.now(), events: seen.events };
    const rate = Math.round((1000 * (now.events - before.events)) / (now.at - before.at));
    before = now;
    console.log(JSON.stringify({ minute: Math.round((Date.now() - begun) / 6_000) / 10, heap: usedSize, nodes, listeners: jsEventListeners, rate }));
  }
});
