/** @file `lrscope demo`: the default comparison in small, on data that comes with the package. */

import { DEFAULT_ARMS } from "../../arms/default-arms.ts";
import { runComparison } from "../../study/comparison.ts";
import { defineCommand } from "../flags/define-command.ts";
import {
  epochsFlag,
  jsonFlag,
  outFlag,
  samplesFlag,
  seedsFlag,
  threadsFlag,
  trainingFlags,
} from "../flags/flags.ts";
import { printComparison } from "../text/comparison-result.ts";

/** Chosen so that range test and 18 runs take under 3 minutes on 2 slow cores. */
const DEMO = {
  source: "mnist",
  /** Images a class. */
  limit: 200,
  size: 28,
  /** Of the vanilla family: three blocks, as 28 pixels allow few poolings. */
  model: { widths: [16, 32, 64], hidden: 128 },
  batch: 32,
  epochs: 4,
  /** Half a cycle: the fourth epoch ends where the second cycle does, at the lower bound. */
  stepSize: { count: 1, unit: "epochs" },
  /** Small networks on digits take large rates. */
  ramp: { from: 1e-5, to: 1 },
} as const;

export const demo = defineCommand({
  name: "demo",
  summary: "six optimizers on MNIST, three seeds each, and a report: in three minutes",
  details:
    "Needs no network and under three minutes: a range test, then sgd+clr, adagrad, adadelta, rmsprop, adam and adamax, each over three seeds, on a part of MNIST with a small network.",
  args: [],
  flags: {
    ...epochsFlag(DEMO.epochs, "epochs of each run"),
    ...seedsFlag(3),
    seed: trainingFlags.seed,
    ...threadsFlag,
    ...outFlag,
    ...samplesFlag,
    ...jsonFlag,
  },
  examples: ["lrscope demo", "lrscope demo --out my-first-run"],
  async run({ flags, given, terminal, signal }) {
    const finished = await runComparison({
      kind: "demo",
      source: DEMO.source,
      optimizers: DEFAULT_ARMS,
      seeds: flags.seeds,
      epochs: flags.epochs,
      cycle: { maxLr: undefined, baseLr: undefined, stepSize: DEMO.stepSize },
      ramp: DEMO.ramp,
      modelOptions: DEMO.model,
      flags: {
        ...flags,
        model: "vanilla",
        size: DEMO.size,
        limit: DEMO.limit,
        batch: DEMO.batch,
        validation: 0.2,
        splitSeed: 0,
        precision: "fp32",
        augment: "default",
        accumulate: 1,
        dropLast: false,
        labelSmoothing: 0,
        tune: false,
        memory: undefined,
        momentum: undefined,
        weightDecay: undefined,
        pretrained: undefined,
        trainFrom: undefined,
        frozenBatchNorm: undefined,
        cacheFeatures: undefined,
        clip: undefined,
        clipValue: undefined,
        lrScale: undefined,
        decayScale: undefined,
        decayOnBias: true,
      },
      given,
      context: { terminal, signal },
    });
    await printComparison(finished, terminal);
    terminal.note("Next: lrscope find YOUR-PHOTOS/, with one folder a class");
  },
});
