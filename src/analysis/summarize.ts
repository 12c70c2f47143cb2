/** @file From the records of an experiment's trials to its table of results and what they say. */

import {
  type ExperimentRecord,
  type SummaryRecord,
  type TrialHistory,
  unpackAnswers,
} from "../record/index.ts";
import { conclude, proposedStudy } from "./conclusion/conclude.ts";
import type { Guess } from "./conclusion/wording.ts";
import { machinesNote, machinesOf, withoutSeconds } from "./machines.ts";
import { notesOn } from "./notes.ts";
import { performanceProfile } from "./performance-profile.ts";
import { pruningSummary } from "./pruning/summary.ts";
import { sensitivities } from "./sensitivity.ts";
import { pairedDifferences } from "./statistics/paired.ts";
import { mean } from "./statistics/statistics.ts";
import { summarizeArm } from "./summarize-arm.ts";
import { chooseTargets } from "./time-to-target.ts";

export interface SummarizeOptions {
  /** Validation accuracies, 0 .. 1, to time the arms to; default chosen from the results. */
  readonly targets?: readonly number[];
  /** With a performance profile over the targets; default false. */
  readonly profile?: boolean;
  /** Whether all trials ran by the experiment's protocol; false of runs set side by side that differ. */
  readonly oneProtocol?: boolean;
  /** What the followed protocol says of ours beside the publication's; goes into the summary as it is. */
  readonly published?: SummaryRecord["published"];
}

/**
 * Every arm that has a trial, in the experiment's order, seeds ascending; every pair of them; the
 * conclusion. Where arms belong to a sensitivity analysis, the summary says so in `sensitivity`.
 */
export function summarize(
  experiment: ExperimentRecord,
  trials: readonly TrialHistory[],
  { targets, profile = false, oneProtocol = true, published }: SummarizeOptions = {},
): SummaryRecord {
  const arms = experiment.arms.flatMap(({ name }) => {
    const own = trials
      .filter(({ trial }) => trial.arm === name)
      .sort((a, b) => a.trial.seed - b.trial.seed);
    return own.length === 0 ? [] : [{ name, own }];
  });
  const asked = targets ? [...targets].sort((a, b) => a - b) : targetsFrom(experiment, arms);
  const classes = experiment.dataset.classes.map(({ name }) => name);
  const { guess, images } = validationOf(experiment);
  const machines = machinesOf(experiment, trials);
  const optimizers = arms.map(({ name, own }) => {
    const arm = summarizeArm(name, own, {
      targets: asked,
      classes,
      images,
      guess: guess?.accuracy,
    });
    return machines ? withoutSeconds(arm) : arm;
  });
  // Points of a sensitivity analysis are not contestants: thirty of them would make hundreds of pairs.
  const aside = new Set(
    experiment.arms.flatMap(({ name, sensitivity }) =>
      sensitivity && sensitivity.factor !== 1 ? [name] : [],
    ),
  );
  const contestants = optimizers.filter(({ name }) => !aside.has(name));
  const pairs = pairedDifferences(contestants, { images, answers: answersOf(trials) });
  const sensitivity = sensitivities(experiment, optimizers);
  const pruning = pruningSummary(experiment, trials);
  const notes = [...notesOn(experiment, trials), ...(machines ? [machinesNote(machines)] : [])];
  const concluded = {
    optimizers: contestants,
    pairs,
    epochs: experiment.protocol.epochs,
    sensitivity,
    sameWork: oneProtocol,
    machines: machines?.length,
    images,
    guess,
    targetAccuracy: experiment.protocol.targetAccuracy,
  };
  const next = proposedStudy(concluded);
  return {
    formatVersion: 1,
    optimizers,
    dataset: experiment.dataset.name,
    model: experiment.model.name,
    protocol: experiment.protocol,
    pairs,
    conclusion: conclude(concluded),
    ...(next ? { next } : {}),
    ...(pruning ? { pruning } : {}),
    ...(machines ? { machines } : {}),
    ...(profile ? { profile: performanceProfile(contestants) } : {}),
    ...(sensitivity.length > 0 ? { sensitivity } : {}),
    ...(published ? { published } : {}),
    ...(notes.length > 0 ? { notes } : {}),
  };
}

/** Images of the validation part, and what guessing would score there; undefined where they were not counted. */
function validationOf({ dataset }: ExperimentRecord): {
  images: number | undefined;
  guess: Guess | undefined;
} {
  const images = dataset.classes.reduce((sum, { validation }) => sum + validation, 0);
  if (images === 0) return { images: undefined, guess: undefined };
  const commonest = dataset.classes.reduce((a, b) => (b.validation > a.validation ? b : a));
  return {
    images,
    guess: { answer: commonest.name, accuracy: commonest.validation / images },
  };
}

/** What the trials recorded of each image, unpacked once. */
function answersOf(
  trials: readonly TrialHistory[],
): (arm: string, seed: number) => Uint8Array | null {
  const keyOf = (arm: string, seed: number) => JSON.stringify([arm, seed]);
  const known = new Map(
    trials.flatMap(({ trial: { arm, seed, rightAnswers } }) => {
      const right = rightAnswers && unpackAnswers(rightAnswers);
      return right ? [[keyOf(arm, seed), right] as const] : [];
    }),
  );
  return (arm, seed) => known.get(keyOf(arm, seed)) ?? null;
}

function targetsFrom(
  experiment: ExperimentRecord,
  arms: readonly { own: readonly TrialHistory[] }[],
): number[] {
  const guess = validationOf(experiment).guess?.accuracy ?? 0;
  const bests = arms.map(({ own }) => {
    const values = own.flatMap(({ metrics }) => {
      const seen = metrics.flatMap((line) => line.validationAccuracy ?? []);
      return seen.length === 0 ? [] : [Math.max(...seen)];
    });
    return values.length === 0 ? 0 : mean(values);
  });
  return chooseTargets(guess, Math.max(0, ...bests));
}
