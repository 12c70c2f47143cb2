/**
 * @file summary.json: what `compare --json` prints. Fields marked optional are absent in records of
 * lrscope 0.1; `summarize` (analysis/) writes all that the trials carry.
 */

import { z } from "zod";
import { pairedDifference, performanceProfile, sensitivity } from "./comparison.ts";
import { protocolRecord } from "./protocol.ts";
import { spread } from "./spread.ts";
import { pruningRecord } from "./study-spec.ts";
import { trainedOn } from "./trial.ts";

/** How far an arm had to go to a validation accuracy. */
export const timeToTarget = z.object({
  /** Validation accuracy, 0 .. 1. */
  target: z.number(),
  /** First epoch at or above the target, one a seed; null is a miss, or is still open. */
  epochs: z.array(z.number().int().nullable()),
  /** Seconds of training and validation until then, one a seed; null as above. */
  seconds: z.array(z.number().nullable()),
  /** Seeds that reached it. */
  reached: z.number().int(),
  /** Seeds that may yet reach it: their trials have not ended, or ended as their arm was pruned at a rung. */
  openSeeds: z.array(z.number().int()).optional(),
  /**
   * Median over the seeds that are not open, a miss being later than every hit; null where the
   * median is a miss.
   */
  medianEpochs: z.number().nullable(),
  medianSeconds: z.number().nullable(),
});
export type TimeToTarget = z.infer<typeof timeToTarget>;

export const optimizerSummary = z.object({
  /** The arm's name. */
  name: z.string(),
  /** One a seed: the constant rate, or the schedule's greatest. */
  learningRates: z.array(z.number()),
  seeds: z.array(z.number().int()),
  /** Finished epochs, one a seed. */
  epochs: z.array(z.number().int()).optional(),
  finalValidationAccuracy: spread,
  bestValidationAccuracy: spread,
  /** Mean of the last ten epochs (of all, where there are fewer). */
  last10ValidationAccuracy: spread,
  finalValidationLoss: spread.optional(),
  /** Least over the epochs. */
  bestValidationLoss: spread.optional(),
  last10ValidationLoss: spread.optional(),
  /** On the augmented batches of the last epoch, as they were trained on. */
  finalTrainAccuracy: spread.optional(),
  /** finalTrainAccuracy - finalValidationAccuracy, seed by seed. */
  generalisationGap: spread.optional(),
  /** Mean height of the validation accuracy's curve, trapezoids from the first epoch to the last: 0 .. 1. */
  accuracyArea: spread.optional(),
  /** Ascending targets, the same for every arm. */
  timeToTarget: z.array(timeToTarget).optional(),
  /** Scores of the untouched test part, by the weights that were best on validation. */
  testAccuracy: spread.optional(),
  testBalancedAccuracy: spread.optional(),
  /** In the order of the data set's classes. */
  testPerClass: z.array(z.object({ class: z.string(), accuracy: spread })).optional(),
  /** Per class on the validation part, where the last epoch of the trials recorded it. */
  validationPerClass: z.array(z.object({ class: z.string(), accuracy: spread })).optional(),
  validationBalancedAccuracy: spread.optional(),
  msPerStep: z.number().nullable(),
  /** Part of a step that the optimizer's update takes, 0 .. 1: median over seeds. */
  optimizerShare: z.number().nullable().optional(),
  /** Where the rate came from, distinct, in the trials' words. */
  learningRateSources: z.array(z.string()).optional(),
  /** How many seeds diverged. */
  diverged: z.number().int(),
  /** How many failed, or were not finished. */
  failed: z.number().int().optional(),
  /** Why, distinct, in the trials' words; absent where none failed. */
  failures: z.array(z.string()).optional(),
  /** How many were pruned: their last epoch is not the others' last. */
  pruned: z.number().int().optional(),
  /** The rung at which the arm was pruned as a whole, from 1, and the epoch after which that was. */
  prunedAt: z.object({ rung: z.number().int(), epoch: z.number().int() }).optional(),
  unfinished: z.number().int().optional(),
  /** Whether its final accuracy cannot be told from always answering with the commonest class. */
  guessing: z.boolean().optional(),
});
export type OptimizerSummary = z.infer<typeof optimizerSummary>;

/** What a study pruned at rungs; arms that ended there have no final values, and are in no comparison. */
export const pruningSummary = z.object({
  /** As it was asked for; absent where it is pruned no more. */
  pruning: pruningRecord.optional(),
  /** Those at which an arm ended, ascending. */
  rungs: z.array(
    z.object({
      rung: z.number().int(),
      epoch: z.number().int(),
      /** Arms that had come there. */
      entered: z.number().int(),
      pruned: z.array(z.string()),
    }),
  ),
});
export type PruningSummary = z.infer<typeof pruningSummary>;

/** A machine of a study whose workers may differ. */
export const machineShare = trainedOn.extend({
  /** In which it had a part. */
  trials: z.number().int(),
});
export type MachineShare = z.infer<typeof machineShare>;

/** The study that the conclusion proposes, as far as it differs from the one concluded on. */
export const nextStudy = z.object({
  /** "find": a range test of the first of the arms. */
  kind: z.enum(["compare", "find"]),
  arms: z.array(z.string()),
  /** The first seed, and how many; absent: as they were. */
  seeds: z.object({ first: z.number().int(), count: z.number().int() }).optional(),
  sensitivity: z.number().int().optional(),
});
export type NextStudy = z.infer<typeof nextStudy>;

export const summaryRecord = z.object({
  formatVersion: z.literal(1),
  optimizers: z.array(optimizerSummary),
  dataset: z.string(),
  model: z.string(),
  protocol: protocolRecord,
  /** Every pair of arms once, a before b in the order of `optimizers`; of the final accuracy. */
  pairs: z.array(pairedDifference).optional(),
  /** One paragraph that follows from the numbers. */
  conclusion: z.string().optional(),
  /** What its last sentence asks for, where a study can give it. */
  next: nextStudy.optional(),
  /** Of a study that prunes arms at rungs. */
  pruning: pruningSummary.optional(),
  /**
   * Of a study whose workers may differ, all that took part; seconds and milliseconds are then null, as none of them
   * compares with another.
   */
  machines: z.array(machineShare).optional(),
  profile: performanceProfile.optional(),
  sensitivity: z.array(sensitivity).optional(),
  /** Ours beside the publication whose protocol was followed, in the form of its own study. */
  published: z.record(z.string(), z.unknown()).optional(),
  /**
   * What a reader must know beside the numbers, a sentence each: trials that failed, options that end
   * trials early, the test part; of several experiments set side by side, in what they differ.
   */
  notes: z.array(z.string()).optional(),
});
export type SummaryRecord = z.infer<typeof summaryRecord>;
