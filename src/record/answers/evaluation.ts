/** @file evaluation.json: how a stored network answers on labelled images that it was handed. */

import { z } from "zod";
import { imageUri } from "../samples.ts";
import { interval } from "../spread.ts";

/** Images whose answers have a probability within (low, high]; the first bin has its low end too. */
export const calibrationBin = z.object({
  low: z.number(),
  high: z.number(),
  images: z.number().int(),
  /** Mean probability of the answers, and the part of them that is right; null where there are none. */
  confidence: z.number().nullable(),
  accuracy: z.number().nullable(),
});
export type CalibrationBin = z.infer<typeof calibrationBin>;

export const calibration = z.object({
  /** Expected calibration error: over the bins, the gap of accuracy and confidence, weighted by images. */
  error: z.number(),
  /** The widest gap of a bin. */
  greatest: z.number(),
  bins: z.array(calibrationBin),
});
export type Calibration = z.infer<typeof calibration>;

export const classScore = z.object({
  class: z.string(),
  /** Images that are of it. */
  images: z.number().int(),
  /** The part of them that is answered so (recall), with its interval; null without images. */
  accuracy: z.number().nullable(),
  interval: interval.nullable(),
  /** Images that are answered so, and the part of them that is of it; null where none is. */
  answers: z.number().int(),
  precision: z.number().nullable(),
});
export type ClassScore = z.infer<typeof classScore>;

export const evaluationRecord = z.object({
  formatVersion: z.literal(1),
  /** Version that scored. */
  lrscope: z.string(),
  /** What was scored: a folder's own name or a source's, and which part of it. */
  source: z.string(),
  part: z.enum(["all", "train", "validation", "test"]),
  /** Where the parts are those that a run made of the source: its directory's name, and the images of each. */
  split: z
    .object({
      run: z.string(),
      train: z.number().int(),
      validation: z.number().int(),
      test: z.number().int(),
    })
    .optional(),
  /** The network: what it is, and which trial left these weights. */
  network: z.object({
    model: z.string(),
    dataset: z.string(),
    arm: z.string(),
    seed: z.number().int(),
    epoch: z.number().int(),
    size: z.number().int(),
    channels: z.number().int(),
  }),
  /** Images that were scored, and those of them that were answered rightly. */
  images: z.number().int(),
  right: z.number().int(),
  accuracy: z.number(),
  /** 95%, of other images like these: Wilson's score interval. */
  interval,
  /** Mean over the classes that have images. */
  balancedAccuracy: z.number(),
  /** Mean cross-entropy, in nats. */
  loss: z.number(),
  classes: z.array(classScore),
  /** Counts; rows are true classes, columns answers, in the order of `classes`; absent of more than 1,000 classes. */
  counts: z.array(z.array(z.number().int())).optional(),
  calibration,
  /** The surest wrong answers, the surest first. */
  mistakes: z.array(
    z.object({
      file: z.string(),
      truth: z.string(),
      answer: z.string(),
      probability: z.number(),
      /** null where no photos are kept. */
      image: imageUri.nullable(),
    }),
  ),
  /** Files that could not be read, relative to the source. */
  leftOut: z.array(z.object({ file: z.string(), reason: z.string() })),
  /** What a reader must know beside the numbers, a sentence each. */
  notes: z.array(z.string()),
});
export type EvaluationRecord = z.infer<typeof evaluationRecord>;
