/** @file What a summary says beside its numbers. */

import { describe, expect, test } from "vitest";
import { summarize } from "../../src/analysis/index.ts";
import { summaryRecord, type TrialRecord } from "../../src/record/index.ts";
import { base, trial } from "./measured.ts";

describe("notes", () => {
  const failed = (seed: number) =>
    trial("adamax", seed, [], { status: "failed", failure: "its process crashed (SIGSEGV); last" });

  test("none where every trial ran to its end and nothing could have ended it", () => {
    expect(summarize(base, [trial("adam", 0, [0.5])]).notes).toBeUndefined();
  });

  test("a cycle that is cut off at its top", () => {
    // 4 epochs of 54 updates; half a cycle takes 216 of them, or 108.
    const cyclical = (stepSize: number): Partial<TrialRecord> => ({
      schedule: { type: "triangular", base: 0.01, max: 0.06, stepSize },
      epochs: 4,
      updatesPerEpoch: 54,
    });
    const noted = (stepSize: number) =>
      summarize(base, [trial("adam", 0, [0.5, 0.5, 0.6, 0.5], cyclical(stepSize))]).notes;
    expect(noted(216)).toEqual([
      "adam ended in the upper half of a cycle, and at a high rate accuracy is lower: the best epoch says more there than the last. --snap-cycles lets the last cycle end with the run.",
    ]);
    expect(noted(108)).toBeUndefined();
  });

  test("what failed and why, what was on and what it ended, the test part", () => {
    const { protocol } = base;
    const experiment = {
      ...base,
      protocol: {
        ...protocol,
        prune: 2,
        earlyStopping: 3,
        time: 60,
        targetAccuracy: 0.8,
        test: 0.1,
      },
    };
    const summary = summarize(experiment, [
      trial("adam", 0, [0.5, 0.4, 0.3, 0.2], { endedBy: "early stopping" }),
      trial("adam", 1, [0.5, 0.6], { endedBy: "pruned", status: "pruned" }),
      failed(0),
    ]);
    expect(summary.notes).toEqual([
      "1 of 3 trials failed: adamax, seed 0, its process crashed (SIGSEGV). The others went on.",
      "Median pruning was on from epoch 2 (a trial ends whose best accuracy is below the median of the others of its seed); it ended 1 of 3 trials: adam, seed 1, after 2 epochs.",
      "Early stopping was on, after 3 validations without a better accuracy; it ended 1 of 3 trials: adam, seed 0, after 4 epochs.",
      "A trial ends with the epoch in which its time is used up; it ended no trial.",
      "A trial ends at a validation accuracy of 80.0%; it ended no trial.",
      "10.0% of each class was kept untouched; the weights that were best on validation were scored on it once, at the end of each trial.",
    ]);
    expect(summary.optimizers[1]).toMatchObject({
      failed: 1,
      failures: ["its process crashed (SIGSEGV); last"],
    });
    expect(summary.conclusion).toContain(
      "adamax failed on its only seed. Reason of adamax: its process crashed (SIGSEGV).",
    );
    expect(summary.conclusion).toContain("adam was pruned on 1 of 2 seeds.");
    expect(summaryRecord.parse(summary)).toEqual(summary);
  });

  test("of many trials the arms are named", () => {
    const { notes } = summarize(base, [0, 1, 2, 3, 4, 5, 6].map(failed));
    expect(notes).toEqual(["7 of 7 trials failed: those of adamax."]);
  });
});
