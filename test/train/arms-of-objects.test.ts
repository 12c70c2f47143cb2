/**
 * @file A study whose arms are objects of the program: what can be written down is, and is a study like any other;
 * what cannot trains in this process, is recorded by its name and its rates, and cannot be resumed elsewhere.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  defineOptimizer,
  type OpenStudyOptions,
  type OwnArm,
  openStudy,
  readRun,
  resumeStudy,
  runStudy,
  type ScheduleRun,
  type StudyEvent,
  type StudyRequest,
  sgd,
} from "../../src/index.ts";
import { isOwnOptimizer } from "../../src/optimizers/index.ts";
import {
  cosineDecay,
  defineSchedule,
  linearRamp,
  type ScheduleSpec,
  sequence,
} from "../../src/schedules/index.ts";
import { cli } from "../cli/run-cli.ts";
import { engineAbsent, temporaryFolder } from "../cli/temporary.ts";

const absent = engineAbsent();
const within = temporaryFolder();

const damped = defineOptimizer({
  name: "damped (ours)",
  hyperparameters: { learningRate: 0.1, damping: 0.5 },
  state: () => ({}),
  update: ({ parameter, gradient, lr }, { damping }) => ({
    parameter: parameter.sub(gradient.mul(lr.mul(damping))),
  }),
});
const halving = defineSchedule((t) => 0.2 / 2 ** Math.floor(t / 5), { type: "halving" });

const written: OwnArm[] = [
  { optimizer: sgd({ momentum: 0.5, learningRate: 0.02 }), schedule: "cosine" },
  {
    optimizer: "adam(beta2=0.9)",
    schedule: sequence(
      [4, linearRamp({ from: 0, to: 1e-3, steps: 4 })],
      [20, cosineDecay({ peak: 1e-3, steps: 20 })],
    ),
  },
];
const unwritten: OwnArm[] = [
  { optimizer: damped({ damping: 0.25 }), schedule: halving },
  {
    optimizer: damped,
    schedule: ({ rate, steps }: ScheduleRun) => cosineDecay({ peak: rate, steps }),
  },
];

const request: Omit<StudyRequest, "optimizers"> = {
  ...{ formatVersion: 2, kind: "compare", source: "synthetic", model: "vanilla" },
  ...{ seeds: [0], epochs: 2, threads: 1 },
  data: { size: 16, limit: 9, validation: 0.2, splitSeed: 0, augment: "default" },
  recipe: { batch: 8 },
  answers: { samples: false },
};

async function run(
  name: string,
  options: Pick<OpenStudyOptions, "arms" | "signal" | "sink"> & { request?: object },
) {
  const { request: more = {}, ...others } = options;
  const study = await openStudy({ ...request, ...more }, { out: within(name), ...others });
  try {
    return await runStudy(study, others);
  } finally {
    study.close();
  }
}

describe.skipIf(absent)(`arms of objects${absent ? ` (${absent})` : ""}`, () => {
  test("that can be written down: processes train them, and the command asks for them again", async () => {
    const { run: made, failure } = await run("written", { arms: ["sgd@0.1", ...written] });
    expect(failure).toBeNull();
    const { specification, arms } = made.experiment;
    expect(specification?.objects).toBeUndefined();
    expect(specification?.optimizers.slice(0, 2)).toEqual([
      "sgd@0.1",
      "sgd(momentum=0.5)+cosine@0.02",
    ]);
    expect(arms.map(({ optimizer }) => optimizer)).toEqual(["sgd", "sgd", "adam"]);
    const report = readFileSync(join(within("written"), "report.html"), "utf8");
    expect(report).toContain("sgd(momentum=0.5)+cosine@0.02");
    expect(report).not.toContain("No command asks for it");
    // By its texts alone it is the same study.
    const again = await run("by-texts", {
      request: { optimizers: specification?.optimizers },
    });
    expect(
      again.run.trials.map(({ metrics }) => metrics.map(({ trainLoss }) => trainLoss)),
    ).toEqual(made.trials.map(({ metrics }) => metrics.map(({ trainLoss }) => trainLoss)));
  });

  test("that cannot: trained here, recorded by their names and rates", async () => {
    const { run: made, failure } = await run("unwritten", { arms: unwritten });
    expect(failure).toBeNull();
    expect(made.experiment.specification?.objects).toEqual([
      ...["damped-ours-", "own-1", "damped-ours--2", "own-2"],
    ]);
    const [first, second] = made.trials.map(({ trial }) => trial);
    expect(first).toMatchObject({
      arm: "damped-ours-+own-1",
      optimizer: { hyperparameters: { damping: 0.25 } },
      learningRateSource: "its schedule",
    });
    const { points } = first!.schedule as ScheduleSpec & { points: [number, number][] };
    expect(points.slice(0, 2)).toEqual([
      [0, 0.2],
      [5, 0.1],
    ]);
    expect(second).toMatchObject({
      arm: "damped-ours--2+own-2",
      optimizer: { hyperparameters: { damping: 0.5 } },
      schedule: { type: "cosineDecay", peak: 0.1 },
    });
    // The network itself goes by the rule: at damping 0.25 of rate 0.2 it is SGD at 0.05.
    const same = await run("as-sgd", {
      arms: [{ optimizer: sgd(), schedule: defineSchedule((t) => halving(t) / 4, { type: "q" }) }],
    });
    const losses = ({ metrics }: (typeof made.trials)[number]) =>
      metrics.map(({ trainLoss }) => trainLoss!);
    for (const [i, loss] of losses(same.run.trials[0]!).entries())
      expect(losses(made.trials[0]!)[i]).toBeCloseTo(loss, 5);
    // Whoever opens the folder reads it, and no command is made up for it.
    const report = readFileSync(join(within("unwritten"), "report.html"), "utf8");
    expect(report).toContain(
      "its arms are made of objects of the program that ran it (damped-ours-, own-1",
    );
    const read = await cli(["report", within("unwritten"), "--out", within("read.html")]);
    expect(read.code, read.stderr).toBe(0);
    expect(isOwnOptimizer("damped-ours-")).toBe(false);
  });

  test("interrupted, such a study keeps its records and report, and is not resumed", async () => {
    const stop = new AbortController();
    const event = ({ type }: StudyEvent) => {
      if (type === "epoch") stop.abort();
    };
    await expect(
      run("stopped", { arms: unwritten, signal: stop.signal, sink: { event } }),
    ).rejects.toThrow("interrupted");
    expect(readRun(within("stopped")).trials[0]!.metrics.length).toBeGreaterThan(0);
    for (const extension of [undefined, { epochs: 9 }])
      await expect(resumeStudy(within("stopped"), { extension })).rejects.toThrow(
        "its arms are made of objects of the program that ran it (damped-ours-, own-1, damped-ours--2, own-2), which no record holds",
      );
    const resumed = await cli(["compare", "--resume", within("stopped")]);
    expect(resumed.code).toBe(2);
    expect(resumed.stderr).toContain("write each into a file that exports it");
    // One that has ended is rendered again.
    const finished = await resumeStudy(within("unwritten"));
    expect(finished.run.trials).toHaveLength(2);
  });

  test("side by side they cannot train, and names of objects cannot be asked for", async () => {
    await expect(run("jobs", { arms: unwritten, request: { jobs: 2 } })).rejects.toThrow(
      'arm "damped-ours-+own-1": damped-ours- is an object of this program',
    );
    expect(isOwnOptimizer("damped-ours-")).toBe(false);
    await expect(
      run("made-up", { request: { optimizers: ["sgd"], objects: ["damped-ours-"] } }),
    ).rejects.toThrow("which no record holds");
    await expect(run("none", { arms: [] })).rejects.toThrow("study: optimizers");
  });

  test("studies that are open at the same time keep their own of one name", async () => {
    const rates = (rate: number): OwnArm => ({
      optimizer: "sgd",
      schedule: () => defineSchedule(() => rate, { type: "own" }),
    });
    const one = await openStudy(request, { arms: [rates(0.01)], out: within("one") });
    const other = await openStudy(request, { arms: [rates(0.02)], out: within("other") });
    try {
      const ran = [await runStudy(one), await runStudy(other)];
      expect(ran.map(({ run: { trials } }) => trials[0]!.trial.schedule)).toEqual([
        expect.objectContaining({ points: [[0, 0.01]] }),
        expect.objectContaining({ points: [[0, 0.02]] }),
      ]);
    } finally {
      one.close();
      other.close();
    }
  });
});
