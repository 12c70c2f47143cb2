/** @file `lrscope find SOURCE`: the learning-rate range test. */

import { at } from "../../core/at.ts";
import { ArgumentError } from "../../core/errors.ts";
import { shortened } from "../../core/shown.ts";
import { defineCommand, type FlagValues, optional } from "../flags/define-command.ts";
import {
  confirmFlags,
  forceFlag,
  jobsFlag,
  jsonFlag,
  optimizerFlag,
  outFlag,
  rampFlags,
  readingFlags,
  samplesFlag,
  seedsFlag,
  stopFactorFlag,
  trainingFlags,
  tuneFlags,
} from "../flags/flags.ts";
import { resumeFlag, saveFlag, showFlags } from "../flags/run-flags.ts";
import { seedsFrom } from "../flags/seeds.ts";
import { sourceOrResume } from "../flags/source.ts";
import { checkMomentum, checkRamp } from "../flags/study-checks.ts";
import { type AskedStudy, saidBefore, studyOfFlags } from "../flags/study-of-flags.ts";
import { positiveInteger, text } from "../flags/values.ts";
import { resumeFromFlags, runFromFlags } from "../run-study.ts";
import { rangeTestText } from "../text/range-test-text.ts";

const findFlags = {
  ...optimizerFlag,
  updates: optional({
    placeholder: "n",
    help: "length of each seed's test, through the data as often as that takes",
    read: positiveInteger("400"),
    shownFallback: "200",
  }),
  epochs: optional({
    placeholder: "n",
    help: "the same in epochs",
    read: positiveInteger("2"),
    shownFallback: "--updates",
  }),
  ...rampFlags,
  ...seedsFlag(1),
  ...stopFactorFlag,
  ...readingFlags,
  ...confirmFlags,
  ...tuneFlags,
  schedule: optional({
    placeholder: "name",
    help: "with --tune: tune the greatest rate of this schedule, clr, 1cycle, cosine or another, over the length of those runs",
    read: text,
    shownFallback: "a constant rate",
  }),
  ...forceFlag,
  ...trainingFlags,
  ...outFlag,
  ...saveFlag,
  ...samplesFlag,
  ...showFlags,
  ...jsonFlag,
  ...jobsFlag,
  ...resumeFlag("range test", "--seeds, --tune and --confirm"),
};

/** Of a published range test. */
const PUBLISHED_EPOCHS = 2;

/** In updates, unless it is said in epochs, or is that of the publication. */
async function lengthOf({ updates, epochs, published }: FlagValues<typeof findFlags>) {
  if (updates === undefined && (epochs !== undefined || published)) return {};
  const { STUDY_DEFAULTS } = await import("../../record/study-spec.ts");
  return { rangeTestUpdates: updates ?? STUDY_DEFAULTS.rangeTestUpdates };
}

/** A study whose seeds are range tests. @throws ArgumentError for flags without effect */
async function findStudy({
  args: [source = ""],
  flags,
  given,
}: {
  readonly args: readonly string[];
  readonly flags: FlagValues<typeof findFlags>;
  readonly given: ReadonlySet<string>;
}): Promise<AskedStudy> {
  checkRamp("find", flags);
  if (given.has("lossEvery") && flags.loss !== "validation")
    throw new ArgumentError(
      "find: --loss-every has no effect on the training loss; add --loss validation",
    );
  if (given.has("updates") && given.has("epochs"))
    throw new ArgumentError(
      "find: --updates and --epochs both say how long the test is; leave one out",
    );
  if (given.has("force") && !flags.confirm && !flags.tune)
    throw new ArgumentError(
      "find: --force has no effect without --tune or --confirm; leave it out",
    );
  if (given.has("confirmEpochs") && !flags.confirm)
    throw new ArgumentError("find: --confirm-epochs has no effect alone; add --confirm");
  if (given.has("tuneEpochs") && !flags.tune)
    throw new ArgumentError("find: --tune-epochs has no effect alone; add --tune");
  if (given.has("schedule") && !flags.tune)
    throw new ArgumentError(
      "find: --schedule has no effect on the range test, only on the runs that tune its rate; add --tune",
    );
  if (flags.tune && flags.confirm)
    throw new ArgumentError(
      "find: --tune makes the runs of --confirm, and more where they are needed; leave --confirm out",
    );
  const { parseArm } = await import("../../arms/arms.ts");
  const { optimizerOf } = await import("../../arms/trials.ts");
  const { hyperparameters } = optimizerOf(parseArm(flags.optimizer), {});
  if (given.has("momentum")) checkMomentum("find", [flags.optimizer], () => hyperparameters);
  const asked = await studyOfFlags({
    ...{ kind: "find", source, optimizers: [armOf(flags)], seeds: flags.seeds },
    epochs: flags.epochs ?? (flags.published ? PUBLISHED_EPOCHS : 1),
    flags,
    study: {
      ...(await lengthOf(flags)),
      ...(flags.lossEvery === undefined ? {} : { validationEvery: flags.lossEvery }),
      ...(flags.confirm ? { confirm: flags.confirmEpochs ?? 2 } : {}),
      ...(flags.tune ? { tuneEpochs: flags.tuneEpochs ?? 2 } : {}),
    },
  });
  // The seeds of what follows the test are three at least.
  if (flags.confirm || flags.tune) seedsFrom("find", flags.seed, Math.max(3, flags.seeds));
  return asked;
}

/** The optimizer, with the schedule that is tuned. @throws ArgumentError for a schedule that says its rates itself */
function armOf({ optimizer, schedule = "none" }: FlagValues<typeof findFlags>) {
  if (schedule === "none") return optimizer;
  if (/[:({]/.test(schedule))
    throw new ArgumentError(
      `find: --schedule takes a name, as a SPEC says its rates itself, and none can be tuned; got "${shortened(schedule)}"`,
    );
  return `${optimizer}+${schedule}`;
}

export const find = defineCommand({
  name: "find",
  api: ["openStudy", "runStudy", "resumeStudy", "estimateStudy", "readStudyFile", "writeStudyFile"],
  summary: "learning-rate range test: raise the rate, watch the loss, suggest rates",
  details:
    "Trains for 200 updates while the learning rate rises, evenly in its logarithm, until the loss diverges: a fifth of them find where that is, the others go slowly about it. Off the smoothed loss, the mean of the seeds', it reads a rate to train with throughout (the rate of the minimum / 10), and one for the peak of a schedule that rises and falls (three times that). Where the curve does not carry that, it says so, why, and which test would; the exit code is 0 all the same. --published is the test of the 2019 publication: 1e-7 to 0.1 in two epochs, upper bound = minimum / 10, lower bound = upper / 6. Other rules are shown beside it; --rule chooses one. --ramp linear --rule elbow is the CLR paper's own. Nothing of the training is kept. --tune goes on with short real runs about the rate found, up or down until the best lies between two that are worse: what comes out is a rate that was tried, how sure the seeds are of it, and what the suggestion would have lost.",
  args: [sourceOrResume],
  flags: findFlags,
  examples: [
    "lrscope find photos/",
    "lrscope find photos/ --optimizer adam --seeds 3 --updates 400",
    "lrscope find photos/ --ramp linear --from 1e-4 --to 0.1 --rule elbow --epochs 8",
    "lrscope find photos/ --tune",
    "lrscope find photos/ --tune --schedule clr --tune-epochs 4",
    "lrscope find --resume lrscope-runs/find-photos-20260131-101500",
    "lrscope find cifar10 --published --json",
  ],
  study: findStudy,
  async run({ args, flags, given, terminal, signal, asked }) {
    const context = { terminal, signal, flags };
    const finished = await (flags.resume === undefined
      ? runFromFlags(asked ?? (await findStudy({ args, flags, given })), context)
      : resumeFromFlags(
          { command: "find", path: flags.resume, source: args[0], flags, given },
          context,
        ));
    if (!finished) return;
    const { path, report, run } = finished;
    const record = at(run.rangeTests, 0, "rangeTests");
    terminal.print("");
    const { formatRangeTestChart } = await import("../../report/index.ts");
    terminal.print("Smoothed loss");
    terminal.print(formatRangeTestChart(record, { width: Math.min(terminal.columns, 80) }));
    terminal.print("");
    terminal.print(rangeTestText(record, terminal.colors, terminal.columns));
    terminal.print("");
    terminal.print(`Records: ${path}`);
    terminal.print(`Report:  ${terminal.colors.bold(report)}`);
    const { specification } = run.experiment;
    if (specification) {
      const { afterFind, nextLine, withPlaces } = await import("../text/next-command.ts");
      const said = await withPlaces(saidBefore({ args, flags, given }), run.experiment);
      const lines = afterFind(record, specification).flatMap(
        (next, i) => nextLine(next, said, i === 0 ? "Next:" : "  or:") ?? [],
      );
      if (lines.length > 0) terminal.printCommand(`\n${lines.join("\n")}`);
    }
    terminal.result(record);
  },
});
