/** @file A study whose workers differed: which machines are named, and that nothing is said of seconds. */

import { expect, test } from "vitest";
import { summarize } from "../../src/analysis/index.ts";
import type { TrialHistory } from "../../src/record/index.ts";
import { formatSummaryTable, renderReport } from "../../src/report/index.ts";
import { fakeComparison } from "./fake-records.ts";

const { experiment, trials } = fakeComparison();
const OTHER = { processor: "Other 9000", engine: "oneDNN 2.6.3, avx2, 1 thread", threads: 1 };
const HOME = {
  processor: experiment.machine.processor,
  engine: experiment.engine,
  threads: experiment.protocol.threads,
};
/** Every third trial was trained elsewhere, and the first of them on both. */
const mixed: TrialHistory[] = trials.map((history, i) =>
  i % 3 === 0
    ? { ...history, trial: { ...history.trial, machines: i === 0 ? [HOME, OTHER] : [OTHER] } }
    : history,
);
const SECONDS = /\d (ms|seconds?|minutes?)\b|cheapest|dearest|A step (costs|took)/;

/** The page. */
const report = async (histories: readonly TrialHistory[]) => {
  const summary = summarize(experiment, histories);
  return (await renderReport({ ...fakeComparison(), trials: histories, summary })).html;
};

test("alike, they are timed, and none is named", async () => {
  const summary = summarize(experiment, trials);
  expect(summary.machines).toBeUndefined();
  expect(summary.conclusion).toMatch(SECONDS);
  expect(await report(trials)).toContain("ms/step");
});

test("those that took part are named, each with its trials", () => {
  const { machines, notes = [] } = summarize(experiment, mixed);
  const elsewhere = Math.ceil(trials.length / 3);
  expect(machines).toEqual([
    { ...HOME, trials: trials.length - elsewhere + 1 },
    { ...OTHER, trials: elsewhere },
  ]);
  expect(notes.at(-1)).toContain(`Other 9000 (oneDNN 2.6.3, avx2, 1 thread): ${elsewhere} trials`);
  expect(notes.at(-1)).toContain("seconds are not compared");
});

test("no seconds: in the summary, the conclusion and the report", async () => {
  const summary = summarize(experiment, mixed);
  for (const arm of summary.optimizers) {
    expect([arm.msPerStep, arm.optimizerShare]).toEqual([null, undefined]);
    for (const { seconds, medianSeconds, epochs } of arm.timeToTarget ?? []) {
      expect([...seconds, medianSeconds].every((value) => value === null)).toBe(true);
      expect(epochs).toHaveLength(seconds.length);
    }
  }
  expect(summary.conclusion).not.toMatch(SECONDS);
  expect(summary.conclusion).toContain("2 kinds of machine, as was allowed (--mixed)");
  const timed = summarize(experiment, trials);
  expect(summary.optimizers.map((arm) => arm.finalValidationAccuracy)).toEqual(
    timed.optimizers.map((arm) => arm.finalValidationAccuracy),
  );
  const html = await report(mixed);
  expect(html).toContain("Other 9000");
  for (const absent of [
    "ms/step",
    "Time to target",
    "time-to-target-seconds",
    "seconds of training",
  ])
    expect(html).not.toContain(absent);
  expect(html).toContain("Epochs to target");
  expect(formatSummaryTable(summary)).not.toMatch(/\d ms/);
});

test("a study whose trials end at an accuracy is compared by epochs", () => {
  const protocol = { ...experiment.protocol, targetAccuracy: 0.5 };
  const said = (histories: TrialHistory[]) =>
    summarize({ ...experiment, protocol }, histories).conclusion;
  expect(said([...trials])).toContain("compare how long they took");
  expect(said(mixed)).toContain("compare how many epochs they took");
});
