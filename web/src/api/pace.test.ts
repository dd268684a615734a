import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Pace } from "./pace";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => void vi.useRealTimers());

/** A run's end is told by the page's own queue, which no clock moves. */
function settled(): Promise<unknown> {
  const { port1, port2 } = new MessageChannel();
  const told = new Promise((done) => (port1.onmessage = done)).finally(() => port1.close());
  port2.postMessage(0);
  return told;
}
async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
  await settled();
}

test("what is wanted often runs once, and once more for what came meanwhile", async () => {
  let runs = 0;
  let go = () => {};
  const pace = new Pace(() => {
    runs++;
    return new Promise<void>((done) => (go = done));
  }, 10);
  for (let i = 0; i < 100; i++) pace.want();
  await pass(10);
  expect(runs).toBe(1);
  for (let i = 0; i < 100; i++) pace.want(); // while it runs
  go();
  await pass(10);
  await pass(60); // it took 10 ms: the next waits for 30
  expect(runs).toBe(2);
  go();
  await pass(100);
  expect(runs).toBe(2);
});

test("the dearer a run, the longer the next waits: a quarter of the time at most", async () => {
  const begun: number[] = [];
  const pace = new Pace(() => {
    begun.push(performance.now());
    vi.advanceTimersByTime(50);
  }, 10);
  const from = performance.now();
  for (let at = 0; at < 1_000; at += 10) {
    pace.want();
    await pass(10);
  }
  expect(begun.length).toBeGreaterThanOrEqual(4);
  expect(begun.length * 50).toBeLessThanOrEqual((performance.now() - from) * 0.27);
});

test("a run that fails is not the last", async () => {
  let runs = 0;
  const pace = new Pace(() => {
    runs++;
    return Promise.reject(new Error("no")).catch(() => {});
  }, 10);
  pace.want();
  await pass(20);
  pace.want();
  await pass(100);
  expect(runs).toBe(2);
});

test("after its end nothing runs", async () => {
  let runs = 0;
  const pace = new Pace(() => void runs++, 10);
  pace.want();
  pace.end();
  pace.want();
  await pass(1_000);
  expect(runs).toBe(0);
});
