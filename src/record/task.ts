/**
 * @file One trial or one range test as plain JSON, for whichever process runs it: of data and network it
 * says what they are, never where they lie.
 */

import { z } from "zod";
import { fileName } from "./file-name.ts";
import { rangeTestRule } from "./range-test.ts";
import type { Present } from "./study-spec.ts";
import { optimizerSpec, scheduleSpec } from "./trial.ts";

/** One training run. */
export const trialTask = z.object({
  kind: z.literal("trial"),
  arm: z.string(),
  slug: fileName,
  seed: z.number().int().nonnegative(),
  optimizer: optimizerSpec,
  schedule: scheduleSpec,
  /** Absent: as `fit` chooses. */
  hyperparameterSchedules: z.record(z.string(), scheduleSpec).optional(),
  learningRateSource: z.string(),
  epochs: z.number().int().positive(),
  /** Epoch after which it pauses, at a checkpoint; absent: it goes on to its end. */
  until: z.number().int().positive().optional(),
  /** The rung that it is trained for, from 1; one of a higher rung goes before those that wait. */
  rung: z.number().int().positive().optional(),
  /** Whether best and last weights are kept; absent: they are. */
  keepWeights: z.literal(false).optional(),
  /** What may end it before. */
  ends: z
    .object({
      time: z.number().optional(),
      targetAccuracy: z.number().optional(),
      evalEvery: z.number().int().optional(),
      earlyStopping: z.number().int().optional(),
      prune: z.number().int().optional(),
    })
    .optional(),
  /** Place among the trials of the study. */
  index: z.number().int(),
  trials: z.number().int(),
});

/** One range test, which must be made before its arm's trials can be planned. */
export const rangeTestTask = z.object({
  kind: z.literal("range-test"),
  arm: z.string(),
  slug: fileName,
  optimizer: optimizerSpec,
  seeds: z.array(z.number().int().nonnegative()).min(1),
  /** Of each seed; absent: `epochs`, or 200. */
  updates: z.number().int().positive().optional(),
  epochs: z.number().int().positive().optional(),
  from: z.number().optional(),
  to: z.number().optional(),
  rule: rangeTestRule.optional(),
  ramp: z.enum(["exponential", "linear"]).optional(),
  stopFactor: z.number().optional(),
  smoothing: z.enum(["proportional", "published", "bias-corrected", "none"]).optional(),
  reading: z.enum(["averaged", "published"]).optional(),
  /** Whether the ramp ends where its loss has diverged; absent: where `to` is. */
  untilDiverged: z.boolean().optional(),
  loss: z.enum(["train", "validation"]).optional(),
  validationEvery: z.number().int().optional(),
  /** Measure the curves, or the search for their ends alone, and leave their reading to whoever has them all. */
  measureOnly: z.enum(["curves", "search"]).optional(),
});

export const task = z.discriminatedUnion("kind", [trialTask, rangeTestTask]);
type AnyTask = Present<z.infer<typeof task>>;

/** A task of one kind, or of either. */
export type Task<Kind extends AnyTask["kind"] = AnyTask["kind"]> = Extract<AnyTask, { kind: Kind }>;
