/** @file `lrscope train SOURCE`: one run, with one optimizer on one schedule. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { numberWord } from "../../arms/flag-words.ts";
import { at, get } from "../../core/at.ts";
import { ArgumentError } from "../../core/errors.ts";
import { epochsOf } from "../flags/budget.ts";
import { defineCommand, type FlagValues, optional, value } from "../flags/define-command.ts";
import {
  cycleFlags,
  epochsFlag,
  finderUpdatesFlag,
  followFlags,
  forceFlag,
  jsonFlag,
  optimizerFlag,
  outFlag,
  rampFlags,
  samplesFlag,
  tensorboardFlag,
  trainingFlags,
} from "../flags/flags.ts";
import { budgetFlags, testFlag } from "../flags/protocol-flags.ts";
import { trainingRecipeFlags } from "../flags/recipe-flags.ts";
import { checkWithoutResume } from "../flags/resume-checks.ts";
import { keepFlag, prolongFlags, resumeFlag, saveFlag, showFlags } from "../flags/run-flags.ts";
import { sourceOrResume } from "../flags/source.ts";
import { checkStudyFlags } from "../flags/study-checks.ts";
import { type AskedStudy, saidBefore, studyOfFlags } from "../flags/study-of-flags.ts";
import { positive, text } from "../flags/values.ts";
import { resumeFromFlags, runFromFlags } from "../run-study.ts";
import { accuracy, duration } from "../text/format.ts";

/** The run as an arm of a comparison: "sgd+clr", "adam+cosine@0.001". */
function armOf(flags: { optimizer: string; schedule: string; lr: number | undefined }): string {
  const { optimizer, schedule, lr } = flags;
  if (/[+@]/.test(optimizer))
    throw new ArgumentError(
      `train: --optimizer takes a name alone; got "${optimizer}". Give the schedule with --schedule and the rate with --lr`,
    );
  if (/^(clr|triangular2?|exp_range)$/.test(schedule) && lr !== undefined)
    throw new ArgumentError(
      `train: --lr has no effect with --schedule ${schedule}, whose bounds are --max-lr and --base-lr; give those, or leave all out for a range test`,
    );
  const named = /[:{]/.test(schedule) ? `(${schedule})` : schedule;
  return `${optimizer}${schedule === "none" ? "" : `+${named}`}${lr === undefined ? "" : `@${numberWord(lr)}`}`;
}

const trainFlags = {
  ...optimizerFlag,
  schedule: value({
    placeholder: "name|spec",
    help: "none (a constant rate), clr, triangular2, exp_range, cosine, 1cycle, sgdr, linear, wsd, wsd-sqrt, isqrt, poly, exp, step, multistep, plateau, warmup-cosine and the like, a SPEC of lrscope schedule, or a file that exports one",
    read: text,
    fallback: "none",
  }),
  lr: optional({
    placeholder: "rate",
    help: "learning rate",
    read: positive("1e-3"),
    shownFallback: "the optimizer's default",
  }),
  ...cycleFlags,
  ...followFlags,
  ...rampFlags,
  ...finderUpdatesFlag,
  ...forceFlag,
  ...epochsFlag(10, "epochs of the run"),
  ...trainingFlags,
  ...budgetFlags,
  ...testFlag,
  ...tensorboardFlag,
  ...trainingRecipeFlags,
  ...outFlag,
  ...saveFlag,
  ...samplesFlag,
  ...keepFlag,
  ...showFlags,
  ...jsonFlag,
  ...resumeFlag("run", "--epochs"),
  ...prolongFlags,
};

/** A study of one arm and one seed. */
async function trainStudy({
  args: [source = ""],
  flags,
  given,
}: {
  readonly args: readonly string[];
  readonly flags: FlagValues<typeof trainFlags>;
  readonly given: ReadonlySet<string>;
}): Promise<AskedStudy> {
  checkWithoutResume("train", given);
  const asked = await studyOfFlags({
    kind: "train",
    source,
    optimizers: [armOf(flags)],
    seeds: 1,
    epochs: epochsOf(flags, given),
    flags,
  });
  await checkStudyFlags({ ...asked.study, given });
  return asked;
}

export const train = defineCommand({
  name: "train",
  api: ["openStudy", "runStudy", "resumeStudy", "estimateStudy", "readStudyFile", "writeStudyFile"],
  summary: "one run, with one optimizer on one schedule",
  details:
    "Trains once and keeps the weights of the best and of the last epoch. --schedule clr is the cyclical (triangular) learning rate; without --max-lr, a range test finds its bounds first; where it cannot say, nothing is trained, unless --force. With the others --lr is the greatest rate, and the schedule is as long as the run; a SPEC says its rates and lengths itself. --schedule plateau, or plateau:factor=0.5,patience=3, lowers the rate when the validation loss no longer falls.",
  args: [sourceOrResume],
  flags: trainFlags,
  examples: [
    "lrscope train photos/ --optimizer adam --lr 1e-3 --epochs 20",
    "lrscope train photos/ --optimizer sgd --schedule clr --max-lr 0.02",
    "lrscope train photos/ --optimizer adam --schedule warmup-cosine --lr 1e-3 --epochs 20",
    "lrscope train --resume lrscope-runs/train-photos-20260131-101500",
    "lrscope train --resume lrscope-runs/train-photos-20260131-101500 --epochs 40 --stretch",
  ],
  study: trainStudy,
  async run({ args, flags, given, terminal, signal, asked }) {
    const context = { terminal, signal, flags };
    const finished = await (flags.resume === undefined
      ? runFromFlags(asked ?? (await trainStudy({ args, flags, given })), context)
      : resumeFromFlags(
          { command: "train", path: flags.resume, source: args[0], flags, given },
          context,
        ));
    if (!finished) return;
    const { path, report, run, failure } = finished;
    if (failure) throw failure;
    const { trial, metrics } = at(run.trials, 0, "trials");
    const checkpoint = (name: string) =>
      join(path, "trials", `${trial.slug}-${trial.seed}`, `${name}.safetensors`);
    const existing = (name: string) => (existsSync(checkpoint(name)) ? checkpoint(name) : null);
    const reached = metrics.filter(({ validationAccuracy }) => validationAccuracy !== null);
    const best = reached.reduce<(typeof reached)[number] | undefined>(
      (top, line) =>
        !top || get(line, "validationAccuracy", "line") > get(top, "validationAccuracy", "top")
          ? line
          : top,
      undefined,
    );
    terminal.print("");
    if (best) {
      terminal.print(
        `Validation accuracy: final ${accuracy(at(metrics, -1, "metrics").validationAccuracy)}, best ${terminal.colors.bold(accuracy(best.validationAccuracy))} (epoch ${best.epoch}); ${trial.msPerStep?.toFixed(1)} ms a step, ${duration(trial.seconds ?? 0)} in all`,
      );
      const kept = existing("best") ?? existing("last");
      if (kept) terminal.print(`Weights: ${kept}`);
    }
    terminal.print(`Records: ${path}`);
    terminal.print(`Report:  ${terminal.colors.bold(report)}`);
    const { specification } = run.experiment;
    if (specification) {
      const { afterTrain, nextLine, withPlaces } = await import("../text/next-command.ts");
      const said = await withPlaces(saidBefore({ args, flags, given }), run.experiment);
      const next = nextLine(afterTrain(trial, specification), said);
      if (next) terminal.printCommand(`\n${next}`);
    }
    terminal.result({
      trial,
      metrics,
      finalValidationAccuracy: metrics.at(-1)?.validationAccuracy ?? null,
      bestValidationAccuracy: best?.validationAccuracy ?? null,
      dataset: run.experiment.dataset.name,
      model: run.experiment.model.name,
      protocol: run.experiment.protocol,
      checkpoints: best ? { best: existing("best"), last: existing("last") } : null,
      directory: path,
      report,
    });
  },
});
