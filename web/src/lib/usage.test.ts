import { expect, test } from "vitest";
import { bandsOf, bucketName, currencyOf, stacked, sumsOf, timesOf, valuesOf, type Group, type Series } from "./usage";

const hour = (h: number) => new Date(Date.UTC(2026, 3, 12, h)).toISOString();
const point = (h: number, tokens: number | undefined, turns = 1) => ({ at: hour(h), turns, reported: tokens === undefined ? 0 : turns, tokens });
const group = (key: string, ...points: ReturnType<typeof point>[]): Group => ({ key, turns: points.length, reported: points.length, tokens: points.reduce((n, p) => n + (p.tokens ?? 0), 0), points });
const series = (groups: Group[]): Series => ({ by: "program", since: hour(9), until: new Date(Date.UTC(2026, 3, 12, 12, 20)).toISOString(), bucketSeconds: 3600, all: group("", point(9, 1)), groups });

test("every bucket is there, the one under way too", () => {
  expect(timesOf(series([])).map((t) => new Date(t).getUTCHours())).toEqual([9, 10, 11, 12]);
  expect(timesOf({ ...series([]), bucketSeconds: 0 })).toHaveLength(1000); // nonsense ends
});

test("a bucket without a turn took nothing, one whose turns reported nothing is unknown", () => {
  const g = group("a", point(9, 5), point(11, undefined));
  const times = timesOf(series([]));
  expect(valuesOf(g, times, (p) => p.tokens, 0)).toEqual([5, 0, null, 0]);
  expect(valuesOf(g, times, (p) => p.tokens, null)).toEqual([5, null, null, null]);
  expect(sumsOf([5, 0, null, 2])).toEqual([5, 5, 5, 7]);
});

test("bars stand on one another, and a gap is no hole in them", () => {
  expect(stacked([[1, null, 3], [10, 20, null], [null, null, 100]])).toEqual([
    [1, 0, 3],
    [11, 20, 3],
    [11, 20, 103],
  ]);
});

test("the largest come first; of many the smallest are one", () => {
  const four = ["a", "b", "c", "d"].map((k, i) => group(k, point(9, 10 ** i)));
  expect(bandsOf(series(four), (k) => k.toUpperCase()).map((b) => b.name)).toEqual(["D", "C", "B", "A"]);
  const six = [...four, group("e", point(9, 1), point(10, undefined)), group("f", point(9, 2), point(10, 7))];
  const bands = bandsOf(series(six), (k) => k);
  expect(bands.map((b) => b.name)).toEqual(["d", "c", "b", "3 others"]);
  expect(bands[3]!.group).toMatchObject({ tokens: 11, turns: 5 });
  expect(valuesOf(bands[3]!.group, timesOf(series(six)), (p) => p.tokens, 0)).toEqual([4, 7, 0, 0]);
  expect(new Set(bands.map((b) => b.colour)).size).toBe(4);
  expect(bands.map((b) => b.colour)).not.toContain("--c-4");
});

test("costs of two currencies have no sum: that of most buckets is drawn", () => {
  const cost = (value: number, currency: string) => ({ value, currency });
  const g = { ...group("a"), points: [{ ...point(9, 1), costs: [cost(1, "USD"), cost(2, "EUR")] }, { ...point(10, 1), costs: [cost(3, "EUR")] }] };
  expect(currencyOf(g)).toBe("EUR");
  expect(currencyOf(group("b", point(9, 1)))).toBeUndefined();
});

test("a bucket is called by what tells it from the others", () => {
  const at = new Date(2026, 3, 12, 14).getTime();
  const span = (bucketSeconds: number, days: number) => ({ bucketSeconds, since: new Date(at - days * 86_400_000).toISOString(), until: new Date(at).toISOString() });
  expect(bucketName(at, span(3600, 1))).toBe("14:00");
  expect(bucketName(at, span(3600, 7))).toBe("Apr 12, 14:00");
  expect(bucketName(at, span(86400, 30))).toBe("Apr 12");
});
