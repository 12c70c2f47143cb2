/** @file `lrscope demo`: the default comparison in small, on data that comes with the package. */

import { DEFAULT_ARMS } from "../../arms/default-arms.ts";
import { resolveRecipe } from "../../record/recipe.ts";
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
import { seedsFrom } from "../flags/seeds.ts";
import { runFromFlags } from "../run-study.ts";
import { printComparison } from "../text/comparison-result.ts";

/** Chosen so that range test and 18 runs take under 3 minutes on 2 slow cores. */
const DEMO = {
  formatVersion: 2,
  kind: "demo",
  optimizers: DEFAULT_ARMS,
  epochs: 4,
  source: "mnist",
  data: { size: 28, limit: 200, validation: 0.2, splitSeed: 0, augment: "default" },
  model: "vanilla",
  // Three blocks, as 28 pixels allow few poolings.
  modelOptions: { widths: [16, 32, 64], hidden: 128 },
  recipe: resolveRecipe({ batch: 32 }),
  // Half a cycle: the fourth epoch ends where the second cycle does, at the lower bound.
  stepSize: { count: 1, unit: "epochs" },
  // Small networks on digits take large rates.
  ...{ from: 1e-5, to: 1 },
} as const;

export const demo = defineCommand({
  name: "demo",
  api: ["openStudy", "runStudy"],
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
  async run({ flags, terminal, signal }) {
    const { samples, png, threads, out } = flags;
    const study = {
      ...DEMO,
      seeds: seedsFrom("demo", flags.seed, flags.seeds),
      epochs: flags.epochs,
      answers: { samples, png },
    };
    const finished = await runFromFlags({ study, opening: { out, threads } }, { terminal, signal });
    await printComparison(finished, terminal);
    terminal.note("Next: lrscope find YOUR-PHOTOS/, with one folder a class");
  },
});
