/** @file range-test.json and range-tests/<arm>.json: the curve, and every rule's reading of it. */

import { z } from "zod";

export const rangeTestPoint = z.object({
  update: z.number().int(),
  lr: z.number(),
  /** null where the loss was not finite. */
  loss: z.number().nullable(),
  smoothedLoss: z.number().nullable(),
});
export type RangeTestPoint = z.infer<typeof rangeTestPoint>;

export const rangeTestSuggestion = z.object({
  /** "minimum/10", the published rule. */
  rule: z.string(),
  maxLr: z.number(),
  baseLr: z.number(),
  /** Least and greatest suggestion over the seeds. */
  low: z.number(),
  high: z.number(),
  /** false: the minimum lies in the last 5% of the ramp, so it may lie beyond it. */
  bracketed: z.boolean(),
});
export type RangeTestSuggestion = z.infer<typeof rangeTestSuggestion>;

export const rangeTestRecord = z.object({
  formatVersion: z.literal(1),
  arm: z.string(),
  optimizer: z.string(),
  from: z.number(),
  to: z.number(),
  epochs: z.number(),
  runs: z.array(z.object({ seed: z.number().int(), points: z.array(rangeTestPoint) })),
  suggestion: rangeTestSuggestion,
  /** Median over seeds, by rule: "minimum/10", "steepest", "valley", "slide". */
  suggestions: z.record(z.string(), z.number()),
  /** Sentences for the user: not bracketed, stopped early, ... */
  warnings: z.array(z.string()),
  seconds: z.number(),
});
export type RangeTestRecord = z.infer<typeof rangeTestRecord>;
