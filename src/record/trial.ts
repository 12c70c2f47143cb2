/** @file trials/<arm>-<seed>/: trial.json and metrics.jsonl, one line an epoch. */

import { z } from "zod";
import { rightAnswers } from "./answers/right-answers.ts";
import { fileName } from "./file-name.ts";

/** A schedule's own toJSON(): `{ type: "triangular", ... }`. */
export const scheduleSpec = z
  .looseObject({ type: z.string() })
  .refine((spec) => !isDeeper(spec, LEVELS), "lies too deep");

/** Objects and lists within each other: schedules lie at most 64 deep, one within a part
 * takes three, and the points of the innermost two. */
const LEVELS = 3 * 64 + 2;

/** Whether they lie deeper than that; looks no further, as what was edited may have no end in sight. */
function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}
export type ScheduleSpec = z.infer<typeof scheduleSpec>;

export const divergence = z.object({
  /** Update count at which the loss stopped being finite, from 0. */
  update: z.number().int(),
  learningRate: z.number(),
  epoch: z.number().int(),
});

/** The test part, scored once with the weights that were best on validation. */
export const testScore = z.object({
  /** Of the weights scored. */
  epoch: z.number().int(),
  images: z.number().int(),
  loss: z.number().nullable(),
  accuracy: z.number().nullable(),
  /** Mean over the classes of their accuracies; classes without images left out. */
  balancedAccuracy: z.number().nullable(),
  /** In the order of the data set's classes; null where a class has no image. */
  perClass: z.array(z.number().nullable()),
  /** Counts; rows are true classes, columns predictions. */
  confusion: z.array(z.array(z.number().int())).optional(),
});
export type TestScore = z.infer<typeof testScore>;

/** A process that ended before its trial had. */
export const processEnd = z.object({
  /** null where a signal ended it. */
  exitCode: z.number().int().nullable(),
  /** "SIGKILL" */
  signal: z.string().nullable(),
  /** Last lines of log.txt. */
  log: z.array(z.string()),
});
export type ProcessEnd = z.infer<typeof processEnd>;

/** An average of the weights that is kept beside them; decay of "ema". */
export const weightAverage = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("ema"), decay: z.number() }),
  z.object({ kind: z.literal("swa") }),
]);
export type WeightAverage = z.infer<typeof weightAverage>;

/** An optimizer by name, with all its hyperparameters. */
/** Whose reading of an optimizer's rule is followed. */
export const dialectName = z.enum(["torch", "optax", "tfjs", "paper"]);

export const optimizerSpec = z.object({
  name: z.string(),
  hyperparameters: z.record(z.string(), z.number()),
  /** Whose reading of the rule, where it is not the first that the optimizer has. */
  dialect: dialectName.optional(),
});

/** What fixes the bits and the seconds of a trial, beside what is trained. */
export const trainedOn = z.object({
  /** Model of the processor. */
  processor: z.string(),
  /** "oneDNN 2.6.3, avx2, 2 threads" */
  engine: z.string(),
  threads: z.number().int(),
});
export type TrainedOn = z.infer<typeof trainedOn>;

export const trialRecord = z.object({
  formatVersion: z.literal(1),
  arm: z.string(),
  slug: fileName,
  seed: z.number().int(),
  optimizer: optimizerSpec,
  schedule: scheduleSpec,
  /** Of the hyperparameters that follow one, by name: momentum, beta1. */
  hyperparameterSchedules: z.record(z.string(), scheduleSpec).optional(),
  /** Where the rate came from, for people: "default of adam", "range test: 1.2e-2", "--lr". */
  learningRateSource: z.string(),
  updatesPerEpoch: z.number().int(),
  epochs: z.number(),
  /**
   * "pruned": ended early, as the others of its seed, or of its rung, were ahead. "paused": waits at a rung until all
   * seeds of its arm, and with "halving" those of all arms, have come there.
   */
  status: z.enum(["running", "done", "diverged", "pruned", "paused", "interrupted", "failed"]),
  /** What ended it before its last epoch. */
  endedBy: z.enum(["time", "target accuracy", "early stopping", "pruned"]).optional(),
  /** Of a trial whose arm was pruned at a rung, the rung, from 1: it can go on from a checkpoint. */
  rung: z.number().int().positive().optional(),
  divergence: divergence.nullable(),
  /** The failure's message, where status is "failed". */
  failure: z.string().nullable(),
  /** Median over the training steps. */
  msPerStep: z.number().nullable(),
  /** Part of a step that the optimizer's update takes, 0 .. 1, of a few profiled steps; where measured. */
  optimizerShare: z.number().nullable().optional(),
  test: testScore.nullable().optional(),
  /** On the validation part after the last epoch, of a trial that is done and was validated then. */
  rightAnswers: rightAnswers.optional(),
  /** The average that averagedValidationAccuracy of the metrics is of. */
  average: weightAverage.optional(),
  /** Whether ensembleValidationAccuracy is recorded at the ends of cycles. */
  snapshots: z.boolean().optional(),
  seconds: z.number().nullable(),
  /** Which attempt wrote this, of a trial that a task file asked for and that has not run to its end. */
  attempt: z.number().int().positive().optional(),
  /** Of a study whose workers may differ, those that have trained it, oldest first; absent where all are alike. */
  machines: z.array(trainedOn).optional(),
  /** How the trial's process ended, where it ended of itself or was killed. */
  ended: processEnd.nullable().optional(),
});
export type TrialRecord = z.infer<typeof trialRecord>;

export const epochMetrics = z.object({
  /** From 1. */
  epoch: z.number().int(),
  /** Updates made so far. */
  update: z.number().int(),
  /** Rate of the epoch's last update. */
  lr: z.number(),
  /** Weighted by example; null where not finite. */
  trainLoss: z.number().nullable(),
  /** In 0 .. 1, of the augmented batches as trained on. */
  trainAccuracy: z.number().nullable(),
  validationLoss: z.number().nullable(),
  validationAccuracy: z.number().nullable(),
  /** Mean over the classes of their accuracies, and each class's; where recorded. */
  validationBalancedAccuracy: z.number().nullable().optional(),
  validationPerClass: z.array(z.number().nullable()).optional(),
  /** Of the averaged weights, with batch norm's statistics taken anew; once there is an average. */
  averagedValidationLoss: z.number().nullable().optional(),
  averagedValidationAccuracy: z.number().nullable().optional(),
  /** At the end of a cycle: of the mean probabilities of the snapshots so far. */
  ensembleValidationAccuracy: z.number().optional(),
  ensembleSnapshots: z.number().int().optional(),
  seconds: z.number(),
  diverged: z.boolean().optional(),
});
export type EpochMetrics = z.infer<typeof epochMetrics>;

/** A trial and what it measured so far. */
export interface TrialHistory {
  readonly trial: TrialRecord;
  /** One an epoch, in order; empty where the first epoch is not done. */
  readonly metrics: readonly EpochMetrics[];
  /** Last lines of its log.txt, oldest first, where a report is to quote them. */
  readonly logTail?: readonly string[];
}
