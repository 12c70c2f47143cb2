/** @file Calls that lrscope 0.1 recorded, and the studies that they asked for. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { specificationRecord, studyOfSpecification } from "./specification.ts";
import { studySpec } from "./study-spec.ts";

/** As 0.1 wrote it: `compare photos/ --optimizers sgd+clr,adam@1e-3 --seeds 2 ...`, everything given. */
const whole = {
  formatVersion: 1,
  jobs: 2,
  optimizers: ["sgd+clr", "adam@1e-3"],
  seeds: 2,
  epochs: 6,
  budget: { time: 600, targetAccuracy: 0.9, evalEvery: 2, earlyStopping: 3, prune: 2 },
  learningRates: "range-test",
  finderSeeds: 3,
  sensitivity: 5,
  rangeTestEpochs: 1,
  rampKind: "linear",
  rule: "valley",
  answers: { targets: [0.5, 0.75], profile: true, tensorboard: true },
  source: null,
  model: null,
  modelFile: "network.ts",
  modelOptions: { widths: [8, 16], hidden: 32 },
  pretrained: "resnet18",
  cycle: { maxLr: 0.1, baseLr: 0.01, stepSize: { count: 4, unit: "epochs" } },
  ramp: { from: 1e-5, to: 1 },
  flags: {
    size: 64,
    limit: 200,
    validation: 0.25,
    splitSeed: 3,
    test: 0.125,
    batch: 16,
    accumulate: 4,
    dropLast: true,
    precision: "bf16",
    seed: 7,
    augment: "none",
    labelSmoothing: 0.1,
    momentum: 0.9,
    weightDecay: 0,
    clip: 1,
    clipValue: 0.5,
    lrScale: [
      { name: "features", scale: 0.1 },
      { name: "classifier", scale: 1 },
    ],
    decayScale: [{ name: "classifier", scale: 0 }],
    decayOnBias: false,
    tune: true,
    memory: 2 ** 30,
    trainFrom: "layer4",
    unfreeze: [{ from: "layer3", epoch: 3 }],
    frozenBatchNorm: "train",
    cacheFeatures: 2,
    classWeights: "balanced",
    average: "ema",
    averageDecay: 0.99,
    snapshots: true,
    snapCycles: true,
    momentumSchedule: "linear:from=0.95,to=0.85,steps=100",
    samples: false,
    png: true,
  },
};

/** What the earliest of 0.1 had: no versions, and none of the flags that came later. */
const least = {
  optimizers: ["adam"],
  seeds: 1,
  epochs: 2,
  source: "mnist",
  model: "vanilla",
  cycle: { stepSize: { count: 4, unit: "epochs" } },
  flags: {
    validation: 0.2,
    splitSeed: 0,
    batch: 64,
    precision: "fp32",
    seed: 0,
    augment: "default",
  },
};

const studyOf = (call: object, seeds: readonly number[], threads = 4) =>
  studyOfSpecification(specificationRecord.parse(JSON.parse(JSON.stringify(call))), {
    kind: "compare",
    seeds,
    threads,
  });

test("each field of the longest call is where a study has it", () => {
  expect(studyOf(whole, [7, 8])).toEqual({
    formatVersion: 2,
    kind: "compare",
    ...{ reading: "published", force: true },
    optimizers: ["sgd+clr", "adam@1e-3"],
    seeds: [7, 8],
    epochs: 6,
    momentum: 0.9,
    weightDecay: 0,
    momentumSchedule: { type: "linearRamp", from: 0.95, to: 0.85, steps: 100 },
    learningRates: "range-test",
    finderSeeds: 3,
    sensitivity: 5,
    maxLr: 0.1,
    baseLr: 0.01,
    stepSize: { count: 4, unit: "epochs" },
    snapCycles: true,
    from: 1e-5,
    to: 1,
    rangeTestEpochs: 1,
    ramp: "linear",
    rule: "valley",
    time: 600,
    targetAccuracy: 0.9,
    evalEvery: 2,
    earlyStopping: 3,
    prune: 2,
    source: null,
    data: { size: 64, limit: 200, validation: 0.25, test: 0.125, splitSeed: 3, augment: "none" },
    model: null,
    modelFile: "network.ts",
    modelOptions: { widths: [8, 16], hidden: 32 },
    pretrained: "resnet18",
    cacheFeatures: 2,
    recipe: {
      batch: 16,
      accumulate: 4,
      dropLast: true,
      precision: "bf16",
      clip: 1,
      labelSmoothing: 0.1,
      trainFrom: "layer4",
      unfreeze: [{ from: "layer3", epoch: 3 }],
      frozenBatchNorm: "train",
      clipValue: 0.5,
      parameterGroups: [
        { prefix: "features", learningRateScale: 0.1 },
        { prefix: "classifier", learningRateScale: 1, weightDecayScale: 0 },
      ],
      decayBiasesAndNorms: false,
      average: { kind: "ema", decay: 0.99 },
      snapshots: true,
      classWeights: "balanced",
    },
    tune: true,
    memory: 2 ** 30,
    answers: {
      targets: [0.5, 0.75],
      profile: true,
      tensorboard: true,
      samples: false,
      png: true,
    },
    jobs: 2,
    threads: 4,
  });
});

test("what the shortest call lacks is as it was without: the defaults of its time", () => {
  expect(studyOf(least, [0])).toEqual({
    formatVersion: 2,
    kind: "compare",
    ...{ reading: "published", force: true },
    optimizers: ["adam"],
    seeds: [0],
    epochs: 2,
    learningRates: "defaults",
    finderSeeds: 1,
    stepSize: { count: 4, unit: "epochs" },
    snapCycles: false,
    rangeTestEpochs: 2,
    ramp: "exponential",
    evalEvery: 1,
    source: "mnist",
    data: { validation: 0.2, splitSeed: 0, augment: "default" },
    model: "vanilla",
    recipe: {
      batch: 64,
      accumulate: 1,
      dropLast: false,
      precision: "fp32",
      labelSmoothing: 0,
      decayBiasesAndNorms: true,
      snapshots: false,
    },
    tune: false,
    answers: { profile: false, tensorboard: false, samples: true, png: false },
    jobs: 1,
    threads: 4,
  });
});

test("whatever of it is given, it is a study, and any part that is left out changes no other", () => {
  const parts = Object.keys(whole.flags).filter((name) => !(name in least.flags));
  const complete = studyOf(whole, [7, 8]);
  fc.assert(
    fc.property(fc.subarray(parts), (left) => {
      const flags = Object.fromEntries(
        Object.entries(whole.flags).filter(([name]) => !left.includes(name)),
      );
      // Without its kind the average has no decay either.
      if (!("average" in flags)) delete flags.averageDecay;
      const study = studyOf({ ...whole, flags }, [7, 8]);
      expect(studySpec.parse(JSON.parse(JSON.stringify(study)))).toEqual(study);
      for (const name of parts) {
        if (!(name in flags)) continue;
        for (const holder of ["recipe", "data", "answers"] as const)
          if (name in complete[holder])
            expect([name, Reflect.get(study[holder], name)]).toEqual([
              name,
              name === "average" && left.includes("averageDecay")
                ? { kind: "ema", decay: 0.999 }
                : Reflect.get(complete[holder], name),
            ]);
        if (name in complete) expect(Reflect.get(study, name)).toEqual(Reflect.get(complete, name));
      }
    }),
  );
});

describe("what is no such call is refused", () => {
  test("seeds that the rest of the record does not have", () => {
    expect(() => studyOf({ ...least, seeds: 1e6 }, [0])).toThrow(
      "specification.seeds does not agree with the rest of the record: it comes to 1000000, where 1 was recorded; bring back the file as it was written, or begin anew",
    );
  });

  test("a momentum schedule that is none", () => {
    const flags = { ...least.flags, momentumSchedule: "cosin:peak=1" };
    expect(() => studyOf({ ...least, flags }, [0])).toThrow(/cosin/);
    expect(studyOf({ ...least, flags: { ...flags, momentumSchedule: "none" } }, [0])).toMatchObject(
      { momentumSchedule: "none" },
    );
  });

  test.each([
    ["optimizers", { optimizers: [] }],
    ["epochs", { epochs: 0 }],
    ["formatVersion", { formatVersion: 3 }],
    ["flags.batch", { flags: { ...least.flags, batch: 0.5 } }],
    ["flags.seed", { flags: { ...least.flags, seed: 2 ** 32 } }],
  ])("%s of another form", (path, change) => {
    const { error } = specificationRecord.safeParse({ ...least, ...change });
    expect(error?.issues.map((issue) => issue.path.join("."))).toEqual([path]);
  });
});
