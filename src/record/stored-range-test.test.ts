/** @file Range tests that lrscope 0.1 wrote, read as those of this version. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { storedRangeTest } from "./index.ts";

const old = (change: object = {}) => ({
  formatVersion: 1,
  ...{ arm: "sgd", optimizer: "sgd", from: 1e-7, to: 0.1, epochs: 2 },
  runs: [0, 1].map((seed) => ({
    seed,
    points: [{ update: 0, lr: 1e-7, loss: 1.6, smoothedLoss: 1.6 }],
  })),
  suggestion: {
    ...{ rule: "minimum/10", maxLr: 0.006, baseLr: 0.001, low: 0.004, high: 0.009 },
    bracketed: true,
    interval: { low: 1e-13, high: 1e5 },
  },
  suggestions: { "minimum/10": 0.006 },
  ...{ warnings: [], seconds: 3 },
  ...change,
});

test("its numbers are those that were recorded: one bound for both uses, no interval of two seeds", () => {
  const read = storedRangeTest.parse(old());
  const bound = { rate: 0.006, rule: "minimum/10", low: 0.004, high: 0.009, interval: null };
  expect(read).toMatchObject({
    ...{ formatVersion: 2, reading: "published", smoothing: "published", ramp: "exponential" },
    ...{ updates: 1, epochs: 2, doubts: [], unguarded: null },
    suggestion: { constant: bound, peak: { ...bound, baseLr: 0.001 } },
    verdict: { kind: "read" },
    seeds: [{ seed: 0 }, { seed: 1 }],
  });
  expect(storedRangeTest.parse(read)).toEqual(read);
});

test("what no seed could tell, and what was not tested, it cannot say; what it said stays beside", () => {
  const verdicts = [{ kind: "too-flat", seeds: [0, 1], message: "too flat to tell: ..." }];
  const flat = storedRangeTest.parse(old({ verdicts }));
  expect(flat.suggestion).toBeNull();
  expect(flat.verdict).toMatchObject({ kind: "too-flat", message: "too flat to tell: ..." });
  expect(flat.unguarded!.peak).toMatchObject({ rate: 0.006, baseLr: 0.001 });
  const one = [{ ...verdicts[0]!, seeds: [1] }];
  expect(storedRangeTest.parse(old({ verdicts: one })).suggestion).not.toBeNull();
  const suggestion = { ...old().suggestion, maxLr: 1e-8, baseLr: 1.67e-9 };
  expect(storedRangeTest.parse(old({ suggestion })).verdict.kind).toBe("outside");
});

test("no interval is wider than the ramp; a bound that was not bracketed is a doubt", () => {
  const runs = [0, 1, 2].map((seed) => ({ seed, points: [] }));
  const suggestion = { ...old().suggestion, bracketed: false };
  const warnings = ["not bracketed: raise --to"];
  const read = storedRangeTest.parse(old({ runs, suggestion, warnings }));
  expect(read.suggestion!.peak.interval).toEqual({ low: 1e-7, high: 0.1 });
  expect(read.doubts).toEqual([
    { kind: "not-bracketed", seeds: [0, 1, 2], message: "not bracketed: raise --to" },
  ]);
});

test("the recorded range tests of docs/results are read", () => {
  for (const name of ["find-flowers-128", "find-flowers-128-to-1"]) {
    const file = new URL(`../../docs/results/${name}/range-test.json`, import.meta.url);
    const written = JSON.parse(readFileSync(file, "utf8"));
    expect(storedRangeTest.parse(written).suggestion!.peak.rate).toBe(written.suggestion.maxLr);
  }
});
