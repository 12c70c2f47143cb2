/**
 * @file What to do after a study, as a command to copy: another study, made of the one that has run, so that
 * it keeps all that the first was asked with.
 */

import { isCyclical } from "../../arms/arm-schedules.ts";
import { parseArm } from "../../arms/arms.ts";
import { flagWords, numberWord } from "../../arms/flag-words.ts";
import { commandOfStudy, type NamedPlaces } from "../../arms/study-command.ts";
import { shellLine } from "../../core/shell.ts";
import {
  type RangeTestRecord,
  type RangeTestTuning,
  STUDY_DEFAULTS,
  type StudySpec,
  type TrialRecord,
} from "../../record/index.ts";

/**
 * "Next: lrscope train ..."; null where there is nothing to say, or no command says it.
 * @param said of the call that has run: where things lie, and the cores, which a study has anyway
 */
export function nextLine(
  next: StudySpec | null,
  { places, threads }: { places: NamedPlaces; threads: number | undefined },
): string | null {
  if (!next) return null;
  const { threads: each, ...study } = next;
  const { words } = commandOfStudy(study, places);
  if (!words) return null;
  const cores = threads === undefined ? {} : { threads };
  return `Next: ${shellLine([...words, ...flagWords(cores)])}`;
}

/** Three digits: a rate that was read off a curve has no more. */
const rounded = (rate: number) => Number(rate.toPrecision(3));

/** `train` with the rates found, where they can be trusted; else `find` again, further or longer. */
export function afterFind(record: RangeTestRecord, study: StudySpec): StudySpec {
  const { suggestion, warnings, confirmation, tuning } = record;
  if (tuning?.bracketed) return afterTuning(tuning, study);
  if (!suggestion.bracketed) return { ...study, to: rounded(10 * record.to) };
  if (warnings.some((warning) => warning.startsWith("too flat")))
    return { ...study, epochs: 3 * study.epochs };
  const maxLr = rounded(confirmation?.best ?? suggestion.maxLr);
  const ratio = suggestion.baseLr / suggestion.maxLr;
  return {
    ...training(study),
    optimizers: [`${parseArm(study.optimizers[0]!).optimizer}+clr`],
    ...{ maxLr, baseLr: rounded(ratio * maxLr) },
    stepSize: ONE_CYCLE,
  };
}

/** `train` at the rate that did best of those that were tried, on the schedule that it was tuned for. */
function afterTuning({ rate, schedule }: RangeTestTuning, study: StudySpec): StudySpec {
  const [arm] = study.optimizers;
  if (!isCyclical(schedule))
    return { ...training(study), optimizers: [`${arm}@${numberWord(rate)}`] };
  return { ...training(study), ...{ optimizers: [arm!], maxLr: rate, stepSize: ONE_CYCLE } };
}

/** Epochs of a run that nobody said the length of, as `train` has them. */
const EPOCHS = 10;

/** So that the run ends where its rate is least. */
const ONE_CYCLE = { count: EPOCHS / 2, unit: "epochs" } as const;

/** The run that follows a range test: the same data, network and recipe, without what is the test's own. */
function training(study: StudySpec): StudySpec {
  const { from, to, stopFactor, smoothing, loss, validationEvery, confirm, tuneEpochs, ...rest } =
    study;
  const { ramp, rule } = STUDY_DEFAULTS;
  return { ...rest, ...{ kind: "train", epochs: EPOCHS, seeds: [0], jobs: 1, ramp, rule } };
}

/** How much another seed changes, which one run does not say; of one that cannot be trusted, its rate first. */
export function afterTrain({ status, optimizer }: TrialRecord, study: StudySpec): StudySpec | null {
  const [seed = 0] = study.seeds;
  if (status === "diverged") {
    const { maxLr, baseLr, stepSize, snapCycles, momentumSchedule, ...rest } = study;
    const { time, targetAccuracy, evalEvery, earlyStopping, ...open } = rest;
    return {
      ...open,
      ...{ kind: "find", optimizers: [optimizer.name], epochs: STUDY_DEFAULTS.rangeTestEpochs },
      ...{ snapCycles: false, evalEvery: 1, data: withoutTest(study.data) },
      answers: { ...study.answers, tensorboard: false },
    };
  }
  if (status !== "done") return null;
  return { ...study, kind: "compare", seeds: [seed, seed + 1, seed + 2] };
}

const withoutTest = ({ test, ...data }: StudySpec["data"]): StudySpec["data"] => data;
