/** @file `lrscope find SOURCE`: the learning-rate range test. */

import { ArgumentError } from "../../core/errors.ts";
import { checkMomentum, checkRamp, seedsFrom } from "../../study/comparison.ts";
import { defineCommand } from "../flags/define-command.ts";
import {
  confirmFlags,
  epochsFlag,
  jsonFlag,
  optimizerFlag,
  outFlag,
  rampFlags,
  readingFlags,
  samplesFlag,
  seedsFlag,
  stopFactorFlag,
  trainingFlags,
} from "../flags/flags.ts";
import { sourceArgument } from "../flags/source.ts";
import { nextCommand } from "../text/next-command.ts";
import { rangeTestText } from "../text/range-test-text.ts";

export const find = defineCommand({
  name: "find",
  summary: "learning-rate range test: raise the rate, watch the loss, suggest bounds",
  details:
    "Trains for a few epochs while the learning rate rises from --from to --to, evenly in its logarithm, and reads the usable range off the smoothed loss: upper bound = the rate at its minimum / 10, lower bound = upper / 6. Other rules are shown beside it; --rule chooses one. --ramp linear --rule elbow is the CLR paper's own test: the bounds are where accuracy begins to rise and where it slows. Nothing of the training is kept.",
  args: [sourceArgument],
  flags: {
    ...optimizerFlag,
    ...rampFlags,
    ...epochsFlag(2, "epochs that the ramp takes"),
    ...seedsFlag(1),
    ...stopFactorFlag,
    ...readingFlags,
    ...confirmFlags,
    ...trainingFlags,
    ...outFlag,
    ...samplesFlag,
    ...jsonFlag,
  },
  examples: [
    "lrscope find photos/",
    "lrscope find photos/ --optimizer adam --to 1 --seeds 3",
    "lrscope find photos/ --ramp linear --from 1e-4 --to 0.1 --rule elbow --epochs 8",
    "lrscope find photos/ --confirm",
    "lrscope find cifar10 --epochs 1 --json",
  ],
  async run({ args, flags, given, terminal, signal }) {
    const source = args[0]!;
    checkRamp("find", flags);
    if (given.has("lossEvery") && flags.loss !== "validation")
      throw new ArgumentError(
        "find: --loss-every has no effect on the training loss; add --loss validation",
      );
    if (given.has("confirmEpochs") && !flags.confirm)
      throw new ArgumentError("find: --confirm-epochs has no effect alone; add --confirm");
    const { parseArm } = await import("../../arms/arms.ts");
    const { rangeTest } = await import("../../train/range-test.ts");
    const { createOptimizer } = await import("../../optimizers/index.ts");
    const optimizer = createOptimizer(flags.optimizer, {
      ...(flags.weightDecay === undefined ? {} : { weightDecay: flags.weightDecay }),
    });
    if (given.has("momentum"))
      checkMomentum("find", [flags.optimizer], () => optimizer.hyperparameters);
    const tested =
      flags.momentum === undefined
        ? optimizer
        : createOptimizer(flags.optimizer, {
            ...(flags.weightDecay === undefined ? {} : { weightDecay: flags.weightDecay }),
            momentum: flags.momentum,
          });
    const seeds = seedsFrom("find", flags.seed, flags.seeds);
    const test = {
      optimizer: tested,
      from: flags.from,
      to: flags.to,
      epochs: flags.epochs,
      seeds,
      ramp: flags.ramp,
      loss: flags.loss,
      smoothing: flags.smoothing,
      rule: flags.rule,
      ...(flags.lossEvery === undefined ? {} : { validationEvery: flags.lossEvery }),
      ...(flags.stopFactor === undefined ? {} : { stopFactor: flags.stopFactor }),
    };
    const { writePlan } = await import("../../study/recorded-plan.ts");
    const { runExperiment } = await import("../../study/run-experiment.ts");
    const { path, report, run } = await runExperiment({
      kind: "find",
      source,
      flags,
      context: { terminal, signal },
      arms: [parseArm(flags.optimizer)],
      epochs: flags.epochs,
      seeds,
      async check(setup) {
        const { checkFind } = await import("../../study/check-trials.ts");
        checkFind({ ...setup, ...test });
      },
      async work({ setup, directory, progress }) {
        const record = await rangeTest({
          ...setup,
          ...test,
          onEvent(event) {
            if (event.type === "plan") writePlan(directory, event.plan);
            return progress(event);
          },
        });
        // Written before too: what has been measured is on the disk.
        directory.writeText("range-test.json", `${JSON.stringify(record, null, 2)}\n`);
        if (!flags.confirm) return;
        const { confirmSuggestion } = await import("../../train/confirm.ts");
        record.confirmation = await confirmSuggestion({
          ...setup,
          optimizer: tested,
          rate: record.suggestion.maxLr,
          epochs: flags.confirmEpochs ?? 2,
          seeds: seedsFrom("find", flags.seed, Math.max(3, seeds.length)),
          onEvent: progress,
        });
        directory.writeText("range-test.json", `${JSON.stringify(record, null, 2)}\n`);
      },
    });
    const record = run.rangeTests[0]!;
    terminal.print("");
    const { formatRangeTestChart } = await import("../../report/index.ts");
    terminal.print("Smoothed loss");
    terminal.print(formatRangeTestChart(record, { width: Math.min(terminal.columns, 80) }));
    terminal.print("");
    terminal.print(rangeTestText(record, terminal.colors, terminal.columns));
    terminal.print("");
    terminal.print(`Records: ${path}`);
    terminal.print(`Report:  ${terminal.colors.bold(report)}`);
    const next = nextCommand(record, { ...flags, source, flags, given });
    terminal.print("");
    terminal.print(`Next: ${next}`);
    terminal.result(record);
  },
});
