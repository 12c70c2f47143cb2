/** @file range-test.json and range-tests/<arm>.json: the curve, and every rule's reading of it. */

import { z } from "zod";
import { interval, spread } from "./spread.ts";

export const rangeTestPoint = z.object({
  update: z.number().int(),
  lr: z.number(),
  /** null where the loss was not finite. */
  loss: z.number().nullable(),
  smoothedLoss: z.number().nullable(),
  /** Of the same images as the loss, in 0 .. 1; absent in records of lrscope 0.1. */
  accuracy: z.number().nullable().optional(),
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
  /** 95% t interval of the upper bound, over the seeds' log rates; null below two seeds. */
  interval: interval.nullable().optional(),
});
export type RangeTestSuggestion = z.infer<typeof rangeTestSuggestion>;

/** What one rule reads off the curves. */
export const rangeTestReading = z.object({
  /** One a run, in the order of `runs`; null where that curve does not carry the rule. */
  values: z.array(z.number().nullable()),
  /** Over the seeds that carry it, on the log scale. null where none does. */
  median: z.number().nullable(),
  low: z.number().nullable(),
  high: z.number().nullable(),
  interval: interval.nullable(),
});
export type RangeTestReading = z.infer<typeof rangeTestReading>;

/** What keeps the curves from a plain answer. */
export const rangeTestVerdict = z.object({
  kind: z.enum(["too-flat", "not-bracketed", "no-finite-loss"]),
  /** The seeds concerned. */
  seeds: z.array(z.number().int()),
  /** The sentence in `warnings`. */
  message: z.string(),
});
export type RangeTestVerdict = z.infer<typeof rangeTestVerdict>;

/** Short runs at the suggested rate, a third of it and three times it, over paired seeds. */
export const rangeTestConfirmation = z.object({
  epochs: z.number().int(),
  seeds: z.array(z.number().int()),
  candidates: z.array(
    z.object({
      /** Of the suggested rate: 1/3, 1, 3. */
      factor: z.number(),
      rate: z.number(),
      /** After the last epoch, 0 .. 1; 0 where a run diverged. */
      validationAccuracy: spread,
    }),
  ),
  /** The rate with the greatest mean accuracy. */
  best: z.number(),
  /** Accuracy of the best less that of the suggestion, seed by seed; all 0 where they are the same. */
  regret: spread,
});
export type RangeTestConfirmation = z.infer<typeof rangeTestConfirmation>;

/** Short runs at the suggested rate and about it, until the best rate lies between two that are worse. */
export const rangeTestTuning = z.object({
  epochs: z.number().int(),
  seeds: z.array(z.number().int()),
  /** Word of the schedule whose greatest rate was tuned; null: a rate that does not change. */
  schedule: z.string().nullable(),
  /** Ascending by rate. */
  candidates: z.array(
    z.object({
      /** Of the suggested rate: 1/2, 1, 2, 4, ... */
      factor: z.number(),
      rate: z.number(),
      /** After the last epoch, 0 .. 1; 0 where a run diverged. */
      validationAccuracy: spread,
      /** null where a run diverged. */
      validationLoss: spread,
      /** Runs. */
      diverged: z.number().int(),
    }),
  ),
  /** The rate with the greatest mean accuracy; of equals that with the least loss. */
  rate: z.number(),
  /** 95% t interval over the seeds' own best log rates, about `rate` and within the rates that were tried. */
  interval,
  /** Whether a rate below the best and one above it were tried, and did worse. */
  bracketed: z.boolean(),
  /** Accuracy of the best less that of the suggestion, seed by seed; all 0 where they are the same. */
  regret: spread,
});
export type RangeTestTuning = z.infer<typeof rangeTestTuning>;

export const rangeTestRecord = z.object({
  formatVersion: z.literal(1),
  arm: z.string(),
  optimizer: z.string(),
  from: z.number(),
  to: z.number(),
  epochs: z.number(),
  /** Absent in records of lrscope 0.1: exponential. */
  ramp: z.enum(["exponential", "linear"]).optional(),
  /** Of which images the points' loss and accuracy are; absent in records of lrscope 0.1: train. */
  loss: z.enum(["train", "validation"]).optional(),
  /** How the loss was smoothed; absent in records of lrscope 0.1: published. */
  smoothing: z.enum(["published", "bias-corrected", "none"]).optional(),
  runs: z.array(z.object({ seed: z.number().int(), points: z.array(rangeTestPoint) })),
  suggestion: rangeTestSuggestion,
  /** Median over seeds, by rule: "minimum/10", "steepest", "valley", "slide". */
  suggestions: z.record(z.string(), z.number()),
  /** The same with each seed's value and an interval; absent in records of lrscope 0.1. */
  readings: z.record(z.string(), rangeTestReading).optional(),
  verdicts: z.array(rangeTestVerdict).optional(),
  /** With --confirm. */
  confirmation: rangeTestConfirmation.optional(),
  /** With --tune. */
  tuning: rangeTestTuning.optional(),
  /** Sentences for the user: not bracketed, stopped early, ... */
  warnings: z.array(z.string()),
  seconds: z.number(),
});
export type RangeTestRecord = z.infer<typeof rangeTestRecord>;
