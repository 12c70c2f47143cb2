/**
 * @file Checkpoints: what stands in the metadata of a file of weights, and what lies beside one from which a
 * trial is resumed.
 */

import { z } from "zod";
import type { Graph } from "../ir/index.ts";
import { epochMetrics, optimizerSpec, scheduleSpec } from "./trial.ts";

/** The version of the metadata, under the key "format". */
export const CHECKPOINT_FORMAT = "lrscope-1";

/**
 * What prediction needs of a network besides its weights, and what going on with its training needs. Each
 * value stands in the file's metadata as JSON, under its own key.
 */
export const checkpointMetadata = z.object({
  model: z.string(),
  /** Checked where a network is made of it: see compile/stored-graph.ts. A training builds its own anew. */
  graph: z.custom<Graph>((value) => typeof value === "object" && value !== null),
  classes: z.array(z.string()),
  channels: z.number().int(),
  size: z.number().int(),
  mean: z.array(z.number()),
  std: z.array(z.number()),
  preprocessing: z.record(z.string(), z.union([z.string(), z.number()])),
  dataset: z.string(),
  arm: z.string(),
  /** Of no use to prediction, and absent from files that hold weights alone. */
  optimizer: optimizerSpec.nullish(),
  schedule: scheduleSpec.nullish(),
  hyperparameterSchedules: z.record(z.string(), scheduleSpec).nullish(),
  /** State of a reduction on plateaus after that epoch. */
  plateau: z
    .object({
      rate: z.number(),
      best: z.number().nullable(),
      bad: z.number().int(),
      cooldown: z.number().int(),
    })
    .nullish(),
  /** State that stands for the parameters in prediction, in a file that holds optimizer state. */
  evaluationWeights: z.string().nullish(),
  seed: z.number().int(),
  epoch: z.number().int(),
  update: z.number().int(),
});
export type CheckpointMetadata = z.infer<typeof checkpointMetadata>;

/** Beside a checkpoint's weights: how far the trial has come. */
export const checkpointRecord = z.object({
  formatVersion: z.literal(1),
  /** Finished epochs. */
  epoch: z.number().int(),
  /** Updates made. */
  update: z.number().int(),
  /** Of each finished epoch: all lines of metrics.jsonl. */
  metrics: z.array(epochMetrics),
  msPerStep: z.number().nullable(),
  /** Spent on the trial so far. */
  seconds: z.number(),
});
export type CheckpointRecord = z.infer<typeof checkpointRecord>;

/** The same with what proves that it and the weights are whole. */
export const sealedCheckpoint = z.object({
  record: checkpointRecord,
  /** SHA-256 of the weights' file, and of the record's JSON. */
  weights: z.string(),
  checksum: z.string(),
});
