/** @file `lrscope demo`: the default comparison in small, on data that comes with the package. */

import { DEMO_EPOCHS, demoStudy } from "../../arms/demo-study.ts";
import { defineCommand, type FlagValues } from "../flags/define-command.ts";
import {
  epochsFlag,
  jsonFlag,
  outFlag,
  samplesFlag,
  seedsFlag,
  threadsFlag,
  trainingFlags,
} from "../flags/flags.ts";
import { showFlags } from "../flags/run-flags.ts";
import { seedsFrom } from "../flags/seeds.ts";
import type { AskedStudy } from "../flags/study-of-flags.ts";
import { runFromFlags } from "../run-study.ts";
import { printComparison } from "../text/comparison-result.ts";

const demoFlags = {
  ...epochsFlag(DEMO_EPOCHS, "epochs of each run"),
  ...seedsFlag(3),
  seed: trainingFlags.seed,
  ...threadsFlag,
  ...outFlag,
  ...samplesFlag,
  ...showFlags,
  ...jsonFlag,
};

/** The study that comes with the package, of which little can be chosen. */
async function askedDemo({ flags }: { flags: FlagValues<typeof demoFlags> }): Promise<AskedStudy> {
  const { samples, png, threads, out } = flags;
  const seeds = seedsFrom("demo", flags.seed, flags.seeds);
  const study = demoStudy({ seeds, epochs: flags.epochs, answers: { samples, png } });
  return { study, opening: { out, threads } };
}

export const demo = defineCommand({
  name: "demo",
  api: ["openStudy", "runStudy"],
  summary: "six optimizers on MNIST, three seeds each, and a report: in three minutes",
  details:
    "Needs no network and under three minutes: a range test, then sgd+clr, adagrad, adadelta, rmsprop, adam and adamax, each over three seeds, on a part of MNIST with a small network.",
  args: [],
  flags: demoFlags,
  examples: ["lrscope demo", "lrscope demo --out my-first-run"],
  study: askedDemo,
  async run({ flags, terminal, signal }) {
    const finished = await runFromFlags(await askedDemo({ flags }), {
      terminal,
      signal,
      flags: {},
    });
    if (!finished) return;
    await printComparison(finished, terminal, { places: {}, threads: flags.threads });
    terminal.note("Next: lrscope find YOUR-PHOTOS/, with one folder a class");
  },
});
