/** @file confusions.json: which classes each arm's best weights take for which, counted once a run has ended. */

import { z } from "zod";
import { imageUri } from "../samples.ts";
import type { Present } from "../study-spec.ts";

/** One image that was taken for another class. */
export const mistakenImage = z.object({
  seed: z.number().int(),
  truth: z.string(),
  answer: z.string(),
  /** Of the answer, 0 .. 1. */
  probability: z.number(),
  /** File name relative to the source; null where the source has none. */
  file: z.string().nullable(),
  /** null where the run keeps no photos. */
  image: imageUri.nullable(),
});
export type MistakenImage = Readonly<z.infer<typeof mistakenImage>>;

/** Summed over the seeds of one arm. */
export const armConfusion = z.object({
  arm: z.string(),
  /** Of what images: "validation", "test". */
  part: z.string(),
  classes: z.array(z.string()).readonly(),
  /** Rows are true classes, columns answers. */
  counts: z.array(z.array(z.number().int()).readonly()).readonly(),
  /** The surest ones, most probable first. */
  mistakes: z.array(mistakenImage).readonly().optional(),
});
export type ArmConfusion = Present<z.infer<typeof armConfusion>>;

const written = z.object({ formatVersion: z.literal(1), arms: z.array(armConfusion) });
export type ConfusionsRecord = Present<z.infer<typeof written>>;

/** Of lrscope 0.1: the list alone. */
export const confusionsRecord = z.preprocess(
  (read) => (Array.isArray(read) ? { formatVersion: 1, arms: read } : read),
  written,
);
