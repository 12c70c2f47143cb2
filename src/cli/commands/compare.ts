/** @file `lrscope compare SOURCE`: optimizers x seeds on equal terms. */

import { DEFAULT_ARMS } from "../../arms/default-arms.ts";
import { defaultsOf } from "../../study/protocols.ts";
import { executorOf } from "../executor-of-flags.ts";
import { epochsOf } from "../flags/budget.ts";
import { defineCommand, type FlagValues } from "../flags/define-command.ts";
import {
  answerFlags,
  cycleFlags,
  epochsFlag,
  finderUpdatesFlag,
  followFlags,
  forceFlag,
  jobsFlag,
  jsonFlag,
  optimizersFlag,
  outFlag,
  rampFlags,
  readingFlags,
  samplesFlag,
  seedsFlag,
  tensorboardFlag,
  trainingFlags,
} from "../flags/flags.ts";
import {
  budgetFlags,
  learningRateFlags,
  pruneFlags,
  publishedFlag,
  testFlag,
} from "../flags/protocol-flags.ts";
import { trainingRecipeFlags } from "../flags/recipe-flags.ts";
import { checkWithoutResume } from "../flags/resume-checks.ts";
import {
  executorFlags,
  keepFlag,
  prolongFlags,
  resumeFlag,
  saveFlag,
  showFlags,
} from "../flags/run-flags.ts";
import { sourceOrResume } from "../flags/source.ts";
import { checkStudyFlags } from "../flags/study-checks.ts";
import { type AskedStudy, saidBefore, studyOfFlags } from "../flags/study-of-flags.ts";
import { resumeFromFlags, runFromFlags } from "../run-study.ts";
import { printComparison } from "../text/comparison-result.ts";

const compareFlags = {
  ...optimizersFlag(DEFAULT_ARMS),
  ...publishedFlag(
    "follow a published study: its arms, epochs, seeds and batch where none are given, its results beside ours: flowers-2019",
  ),
  ...seedsFlag(3),
  ...epochsFlag(10, "epochs of each run"),
  ...learningRateFlags,
  ...cycleFlags,
  ...followFlags,
  ...rampFlags,
  ...finderUpdatesFlag,
  ramp: readingFlags.ramp,
  rule: readingFlags.rule,
  ...forceFlag,
  ...trainingFlags,
  ...budgetFlags,
  ...pruneFlags,
  ...testFlag,
  ...answerFlags,
  ...tensorboardFlag,
  ...trainingRecipeFlags,
  ...outFlag,
  ...saveFlag,
  ...samplesFlag,
  ...keepFlag,
  ...showFlags,
  ...jsonFlag,
  ...jobsFlag,
  ...executorFlags,
  ...resumeFlag(
    "comparison",
    "--epochs, --optimizers, --seeds, --max-trials, --max-hours and --prune none",
  ),
  ...prolongFlags,
};

/** A study of arms and seeds; where it follows a publication, what the call leaves open is the publication's. */
async function compareStudy({
  args: [source = ""],
  flags,
  given,
}: {
  readonly args: readonly string[];
  readonly flags: FlagValues<typeof compareFlags>;
  readonly given: ReadonlySet<string>;
}): Promise<AskedStudy> {
  checkWithoutResume("compare", given);
  const { set, said } = await defaultsOf(flags.protocol, flags.model, given);
  const { optimizers, seeds, ...rest } = { ...flags, ...set };
  const asked = await studyOfFlags({
    ...{ kind: "compare", source, optimizers, seeds },
    epochs: epochsOf(rest, new Set([...given, ...Object.keys(set)])),
    flags: rest,
  });
  await checkStudyFlags({ ...asked.study, given });
  return { ...asked, ...(said === null ? {} : { said }) };
}

export const compare = defineCommand({
  name: "compare",
  api: ["openStudy", "runStudy", "resumeStudy", "estimateStudy", "readStudyFile", "writeStudyFile"],
  summary: "train with several optimizers over several seeds, and set them side by side",
  details:
    "For a seed, every optimizer begins from the same weights and sees the same batches. What is compared is an arm, NAME[+SCHEDULE][@RATE]: adam, sgd+clr, rmsprop@1e-3, adam+cosine@3e-4. Optimizer and schedule may have settings in brackets, by the names of their options: sgd(momentum=0.9,nesterov)+clr(stepSize=4e,mode=triangular2)@0.05. A cyclical arm (+clr) begins with a range test that finds its bounds, unless --max-lr or @RATE gives them; --learning-rates range-test gives every arm one. Where a range test cannot say, nothing is trained, unless --force. A run that diverges is recorded as such, and the comparison goes on.",
  args: [sourceOrResume],
  flags: compareFlags,
  examples: [
    "lrscope compare photos/",
    "lrscope compare photos/ --optimizers sgd+clr,adam,rmsprop@1e-3 --epochs 30 --seeds 5",
    "lrscope compare flowers --protocol flowers-2019 --size 64",
    "lrscope compare mnist --limit 200 --max-lr 0.05 --json",
    "lrscope compare photos/ --epochs 30 --seeds 5 --save-as study.json",
    "lrscope compare study.json --epochs 20",
    "lrscope compare photos/ --sensitivity 5",
    "lrscope compare photos/ --optimizers sgd@0.1,sgd@0.03,sgd@0.01,adam,lion --epochs 27 --prune halving",
    'lrscope compare photos/ --threads 4 --executor slurm --slurm-options "-p main -t 4:00:00"',
    "lrscope compare --resume lrscope-runs/compare-photos-20260131-101500",
    "lrscope compare --resume lrscope-runs/compare-photos-20260131-101500 --seeds 5 --optimizers lion",
  ],
  study: compareStudy,
  async run({ args, flags, given, terminal, signal, asked }) {
    const context = { terminal, signal, flags, ...(await executorOf(flags, given)) };
    const { resume: path } = flags;
    if (path !== undefined) {
      const call = { command: "compare", path, source: args[0], flags, given } as const;
      return printComparison(
        await resumeFromFlags(call, context),
        terminal,
        saidBefore({ args, flags, given }),
      );
    }
    const study = asked ?? (await compareStudy({ args, flags, given }));
    // Who gives the runs to others decides there how many go on at a time.
    const isSaid = given.has("jobs") || (study.study.jobs ?? 1) > 1 || flags.executor !== undefined;
    const opening = isSaid ? study.opening : { ...study.opening, jobs: "fastest" as const };
    const finished = await runFromFlags({ ...study, opening }, context);
    if (finished) await printComparison(finished, terminal, saidBefore({ args, flags, given }));
  },
});
