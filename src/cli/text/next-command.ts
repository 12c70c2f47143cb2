/**
 * @file What to do after a study, as a command to copy: another study, made of the one that has run, so that
 * it keeps all that the first was asked with.
 */

import { isCyclical } from "../../arms/arm-schedules.ts";
import { armParts } from "../../arms/arm-text.ts";
import { flagWords, numberWord } from "../../arms/flag-words.ts";
import { commandOfStudy } from "../../arms/study-command.ts";
import { at, present } from "../../core/at.ts";
import { shellLine } from "../../core/shell.ts";
import {
  type ExperimentRecord,
  type RangeTestRecord,
  type RangeTestTuning,
  STUDY_DEFAULTS,
  type StudySpec,
  type SummaryRecord,
  type TrialRecord,
} from "../../record/index.ts";
import type { SaidBefore } from "../flags/study-of-flags.ts";

/**
 * "Next: lrscope train ..."; null where there is nothing to say, or no command says it.
 * @param said of the call that has run: where things lie, and the cores, which a study has anyway
 */
export function nextLine(
  next: StudySpec | null,
  { places, threads }: SaidBefore,
  before = "Next:",
): string | null {
  if (!next) return null;
  // It begins anew, with as many epochs as the one before came to.
  const { threads: each, prolonged: _, ...study } = next;
  const { words } = commandOfStudy(study, places);
  if (!words) return null;
  const cores = threads === undefined ? {} : { threads };
  return `${before} ${shellLine([...words, ...flagWords(cores)])}`;
}

/** With what the call left to be known: where a run that was gone on with has its images, network, weights and arms. */
export async function withPlaces(
  { places, threads }: SaidBefore,
  experiment: ExperimentRecord,
): Promise<SaidBefore> {
  const { placesFromHere } = await import("../../study/places.ts");
  const said = Object.entries(places).filter(([, place]) => place !== undefined);
  return {
    threads,
    places: { ...(await placesFromHere(experiment)), ...Object.fromEntries(said) },
  };
}

/** Three digits: a rate that was read off a curve has no more. */
const rounded = (rate: number) => Number(rate.toPrecision(3));

/**
 * `train` at the constant rate, and on a cycle about the peak, or at the rate that was tuned; of a test that
 * cannot say, the `find` that could: further or longer.
 */
export function afterFind(
  { suggestion, verdict: { remedy }, confirmation, tuning }: RangeTestRecord,
  study: StudySpec,
): StudySpec[] {
  if (tuning) return [afterTuning(tuning, study)];
  if (!suggestion) {
    const { updates, ...ends } = remedy ?? {};
    const longer = updates === undefined ? {} : { rangeTestUpdates: updates };
    return [{ ...study, ...(ends as Pick<StudySpec, "from" | "to">), ...longer }];
  }
  const { constant, peak } = suggestion;
  // What short runs found to be better is so for a rate of either use.
  const better = (confirmation?.best ?? constant.rate) / constant.rate;
  const { optimizer } = armParts(at(study.optimizers, 0, "optimizers"));
  return [
    { ...training(study), optimizers: [`${optimizer}@${rounded(better * constant.rate)}`] },
    {
      ...training(study),
      optimizers: [`${optimizer}+clr`],
      ...{ maxLr: rounded(better * peak.rate), baseLr: rounded(better * peak.baseLr) },
      stepSize: ONE_CYCLE,
    },
  ];
}

/** `train` at the rate that did best of those that were tried, on the schedule that it was tuned for. */
function afterTuning({ rate, schedule }: RangeTestTuning, study: StudySpec): StudySpec {
  const [arm] = study.optimizers;
  if (!isCyclical(schedule))
    return { ...training(study), optimizers: [`${arm}@${numberWord(rate)}`] };
  return {
    ...training(study),
    ...{ optimizers: [present(arm, "arm")], maxLr: rate, stepSize: ONE_CYCLE },
  };
}

/** Epochs of a run that nobody said the length of, as `train` has them. */
const EPOCHS = 10;

/** So that the run ends where its rate is least. */
const ONE_CYCLE = { count: EPOCHS / 2, unit: "epochs" } as const;

/** The run that follows a range test: the same data, network and recipe, without what is the test's own. */
function training(study: StudySpec): StudySpec {
  const { stopFactor, smoothing, loss, validationEvery, confirm, tuneEpochs, ...rest } =
    withoutTests(study);
  return { ...rest, ...{ kind: "train", epochs: EPOCHS, seeds: [0], jobs: 1 } };
}

/** Without what is asked of range tests. */
function withoutTests({
  rangeTestUpdates,
  rangeTestEpochs,
  from,
  to,
  rule,
  ...study
}: StudySpec): StudySpec {
  const { ramp, reading, force } = STUDY_DEFAULTS;
  return { ...study, ...{ ramp, reading, force } };
}

/** What a comparison's conclusion proposes, with all that the comparison was asked with. */
export function afterCompare({ next }: SummaryRecord, study: StudySpec): StudySpec | null {
  const [arm] = next?.arms ?? [];
  if (!next || arm === undefined) return null;
  if (next.kind === "find") return rangeTestOf(arm, study);
  // The arms that are left are few, and are asked about to their end.
  const { sensitivity: _, pruning, maxTrials, maxHours, ...rest } = study;
  const { seeds, sensitivity } = next;
  return {
    ...rest,
    ...{ kind: "compare", optimizers: next.arms },
    ...(seeds ? { seeds: Array.from({ length: seeds.count }, (_, i) => seeds.first + i) } : {}),
    ...(sensitivity === undefined ? {} : { sensitivity }),
  };
}

/** How much another seed changes, which one run does not say; of one that cannot be trusted, its rate first. */
export function afterTrain(
  { status }: Pick<TrialRecord, "status">,
  study: StudySpec,
): StudySpec | null {
  const [seed = 0] = study.seeds;
  if (status === "diverged") return rangeTestOf(at(study.optimizers, 0, "optimizers"), study);
  if (status !== "done") return null;
  return { ...study, kind: "compare", seeds: [seed, seed + 1, seed + 2] };
}

/** The range test of an arm's optimizer, on the data, network and recipe of a study. */
function rangeTestOf(arm: string, study: StudySpec): StudySpec {
  const { maxLr, baseLr, stepSize, momentumSchedule, ...rest } = withoutTests(study);
  const { time, targetAccuracy, earlyStopping, prune, pruning, ...ended } = rest;
  const { sensitivity, protocol, maxTrials, maxHours, ...open } = ended;
  const { evalEvery, snapCycles, learningRates, finderSeeds } = STUDY_DEFAULTS;
  const { targets, ...answers } = study.answers;
  return {
    ...open,
    ...{
      kind: "find",
      optimizers: [armParts(arm).optimizer],
      epochs: 1,
      seeds: study.seeds.slice(0, 1),
    },
    rangeTestUpdates: STUDY_DEFAULTS.rangeTestUpdates,
    ...{ evalEvery, snapCycles, learningRates, finderSeeds, data: withoutTest(study.data) },
    answers: { ...answers, tensorboard: false, profile: false },
  };
}

const withoutTest = ({ test, ...data }: StudySpec["data"]): StudySpec["data"] => data;
