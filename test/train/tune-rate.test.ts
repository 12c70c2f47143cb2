/**
 * @file find --tune: against a grid of runs that are made apart, up and down; interrupted after any run and
 * resumed to the same bytes.
 */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { createOptimizer, inProcess, openStudy, resumeStudy, runStudy } from "../../src/index.ts";
import { rangeTestRecord, type StudyEvent, type StudyRequest } from "../../src/record/index.ts";
import { constant } from "../../src/schedules/index.ts";
import { readRecord, readRun, readTrials } from "../../src/store/index.ts";
import { taskRunner } from "../../src/study/executors/task-runner.ts";
import { tuneRate } from "../../src/study/finder/tune-rate.ts";
import { fit } from "../../src/train/fit.ts";
import { engineAbsent, temporaryFolder } from "../cli/temporary.ts";
import { resultOf } from "../faults/tiny.ts";

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  const within = temporaryFolder();
  const EPOCHS = 2;
  const request: StudyRequest = {
    ...{ formatVersion: 2, kind: "find", source: "synthetic", model: "vanilla" },
    ...{ optimizers: ["sgd"], seeds: [4], epochs: 2, from: 0.05, to: 10, threads: 1 },
    // Of a test so short the reading may be none: what is tested begins wherever it says.
    force: true,
    data: { size: 8, limit: 30, validation: 0.4, splitSeed: 0, augment: "default" },
    modelOptions: { widths: [4], hidden: 8 },
    recipe: { batch: 8 },
    answers: { samples: false },
    tuneEpochs: EPOCHS,
  };

  async function run(out: string, options: { abortAfter?: number } = {}, asked = request) {
    const stop = new AbortController();
    const study = await openStudy(asked, { out, signal: stop.signal });
    let ended = 0;
    const event = ({ type }: StudyEvent) => {
      if (type === "trial-finished" && ++ended === options.abortAfter) stop.abort();
    };
    try {
      return await runStudy(study, { executor: inProcess, sink: { event }, signal: stop.signal });
    } finally {
      study.close();
    }
  }

  const recordOf = (path: string) => {
    const { seconds, ...record } = readRecord(join(path, "range-test.json"), rangeTestRecord);
    return record;
  };

  let whole: ReturnType<typeof recordOf>;
  beforeAll(async () => {
    await run(within("whole"));
    whole = recordOf(within("whole"));
  });

  test("three seeds from the test's own on; every run has records, and no weights", () => {
    const { seeds, candidates, epochs, schedule } = whole.tuning!;
    expect({ seeds, epochs, schedule }).toEqual({ seeds: [4, 5, 6], epochs: 2, schedule: null });
    const trials = readTrials(within("whole"));
    expect(trials).toHaveLength(3 * candidates.length);
    for (const { trial, metrics } of trials) {
      expect(trial.status).toBe("done");
      expect(metrics).toHaveLength(EPOCHS);
      const files = readdirSync(within(`whole/trials/${trial.slug}-${trial.seed}`));
      expect(files.sort()).toEqual(["log.txt", "metrics.jsonl", "trial.json"]);
    }
    // They are no arms of a comparison.
    expect(readRun(within("whole")).trials).toEqual([]);
    expect(existsSync(within("whole/summary.json"))).toBe(false);
  });

  test("each accuracy is that of a run made apart", async () => {
    const study = await openStudy(request, { out: within("grid") });
    try {
      for (const { rate, validationAccuracy, validationLoss } of whole.tuning!.candidates)
        for (const [i, seed] of whole.tuning!.seeds.entries()) {
          const { metrics } = await fit({
            ...study.setup,
            ...{
              optimizer: createOptimizer("sgd"),
              schedule: constant(rate),
              epochs: EPOCHS,
              seed,
            },
          });
          expect(validationAccuracy.values[i]).toBe(metrics.at(-1)!.validationAccuracy);
          expect(validationLoss.values[i]).toBe(metrics.at(-1)!.validationLoss);
        }
    } finally {
      study.close();
    }
  });

  test("what is best is inside, whatever rate it begins with", async () => {
    const study = await openStudy(request, { out: within("starts") });
    try {
      const finished = await run(within("from"));
      const { openRunDirectory } = await import("../../src/store/index.ts");
      const { planRecord } = await import("../../src/record/index.ts");
      const directory = openRunDirectory(finished.path);
      const { updatesPerEpoch } = study.experiment.protocol;
      const signal = new AbortController().signal;
      const runner = taskRunner({
        ...{ directory, executor: inProcess, jobs: 1, updatesPerEpoch, signal },
        shared: {
          setup: study.setupSpec,
          dataset: study.experiment.dataset,
          plan: readRecord(join(finished.path, "plan.json"), planRecord),
        },
      });
      const tune = (suggested: number) =>
        tuneRate({
          ...{ study: study.spec, suggested, updatesPerEpoch, directory, runner },
          onEvent: () => undefined,
        });
      // At a tenth of these rates nothing is learnt in two epochs, and at ten times them nothing is kept.
      for (const start of [0.05, 0.8]) {
        const { candidates, bracketed, ...tuning } = await tune(start);
        expect(bracketed).toBe(true);
        expect(candidates.some((one) => one.rate === start && one.factor === 1)).toBe(true);
        const means = candidates.map((one) => one.validationAccuracy.mean!);
        const at = candidates.findIndex((one) => one.rate === tuning.rate);
        expect(means[at]).toBe(Math.max(...means));
        expect(at).toBeGreaterThan(0);
        expect(at).toBeLessThan(candidates.length - 1);
        const own = means[candidates.findIndex(({ factor }) => factor === 1)]!;
        expect(tuning.regret.mean!).toBeCloseTo(means[at]! - own, 12);
      }
    } finally {
      study.close();
    }
  });

  test.each([1, 4, 9])("interrupted after %i runs, and resumed to the same bytes", async (runs) => {
    const path = within(`stopped-${runs}`);
    const error = await run(path, { abortAfter: runs }).catch((caught) => caught);
    if (error?.code !== undefined) expect(error.code).toBe("INTERRUPTED");
    else expect(runs).toBe(3 * whole.tuning!.candidates.length);
    const before = resultOf(path);
    await resumeStudy(path, { executor: inProcess });
    expect(recordOf(path)).toEqual(whole);
    expect(resultOf(path)).toEqual(resultOf(within("whole")));
    for (const [name, text] of Object.entries(before))
      if (text.includes('"done"')) expect(resultOf(path)[name]).toBe(text);
  });

  test("the peak of a cycle: one cycle a run", async () => {
    await run(within("peak"), {}, { ...request, optimizers: ["sgd+clr"] });
    const { tuning } = recordOf(within("peak"));
    expect(tuning!.schedule).toBe("clr");
    const updates = EPOCHS * readTrials(within("peak"))[0]!.trial.updatesPerEpoch;
    for (const { trial } of readTrials(within("peak")))
      expect(trial.schedule).toMatchObject({ type: "triangular", stepSize: updates / 2 });
    const peaks = new Set(readTrials(within("peak")).map(({ trial }) => trial.schedule.max));
    expect(peaks).toEqual(new Set(tuning!.candidates.map(({ rate }) => rate)));
  });

  test("is in the report: the figure, the rate and the regret", () => {
    const html = readFileSync(within("whole/report.html"), "utf8");
    expect(html).toMatch(
      /<h1>Train with sgd at a constant learning rate of [\d.e-]+: of \d+ that were/,
    );
    expect(html).toContain("Tuned by short runs");
    expect(html).toContain("3 seeds at each rate");
    expect(existsSync(within("whole/figures/range-test-sgd-tuning.svg"))).toBe(true);
  });
});
