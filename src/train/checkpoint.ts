/**
 * @file A checkpoint of lrscope: a safetensors file whose metadata say all that prediction needs:
 * the network's graph, the classes, the normalisation and how an image is brought to size; and what
 * going on with the training needs: optimizer, schedule, seed and update count.
 */

import { z } from "zod";
import { WeightsError } from "../core/errors.ts";
import { type Checkpoint, shownName } from "../formats/index.ts";
import type { Graph } from "../ir/index.ts";
import { scheduleSpec, type TrialRecord } from "../record/index.ts";
import type { PlateauState } from "../schedules/index.ts";
import { wholeOf } from "./freezing/frozen-features.ts";
import type { TrainingSetup } from "./options.ts";
import type { NamedTensor } from "./trainer.ts";

/** What stands in the metadata, each value as JSON under its own key. */
const checkpointMetadata = z.object({
  model: z.string(),
  /** Checked where it is used: stored-network.ts. Going on with a training builds the network anew. */
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
  optimizer: z
    .object({ name: z.string(), hyperparameters: z.record(z.string(), z.number()) })
    .nullish(),
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

const FORMAT = "lrscope-1";

/** Characters of JSON in all metadata: parsed, two characters can take forty bytes. */
const MAXIMUM_METADATA = 8 * 2 ** 20;

export function makeCheckpoint(options: {
  setup: TrainingSetup;
  trial: TrialRecord;
  tensors: readonly NamedTensor[];
  epoch: number;
  plateau?: PlateauState | null;
  /** Of the tensors: the state that prediction reads instead of the parameters; default none. */
  evaluationWeights?: string | null;
}): Checkpoint {
  const { setup, trial, tensors, epoch, plateau = null } = options;
  const { dataset, network } = wholeOf(setup);
  const all = [...(setup.features?.tensors ?? []), ...tensors];
  const described: CheckpointMetadata = {
    model: network.name,
    graph: network.build(1),
    classes: [...dataset.classes],
    channels: dataset.channels,
    size: dataset.size,
    mean: [...dataset.mean],
    std: [...dataset.std],
    preprocessing: { ...dataset.preprocessing },
    dataset: dataset.record.name,
    arm: trial.arm,
    optimizer: trial.optimizer,
    schedule: trial.schedule,
    hyperparameterSchedules: trial.hyperparameterSchedules ?? null,
    plateau,
    evaluationWeights: options.evaluationWeights ?? null,
    seed: trial.seed,
    epoch,
    update: epoch * trial.updatesPerEpoch,
  };
  const metadata: Record<string, string> = { format: FORMAT };
  for (const [key, value] of Object.entries(described)) metadata[key] = JSON.stringify(value);
  return {
    tensors: new Map(all.map(({ name, shape, data }) => [name, { shape: [...shape], data }])),
    metadata,
  };
}

/** @throws WeightsError where the file is no checkpoint of lrscope, or its metadata are damaged */
export function readMetadata(checkpoint: Checkpoint, file: string): CheckpointMetadata {
  if (checkpoint.metadata.format !== FORMAT)
    throw new WeightsError(
      `checkpoint ${file}: its metadata must say format "${FORMAT}"; got ${shownName(checkpoint.metadata.format ?? "none")}. Give best.safetensors or last.safetensors of a trial`,
    );
  const keys = Object.keys(checkpointMetadata.shape);
  const length = keys.reduce((sum, key) => sum + (checkpoint.metadata[key]?.length ?? 0), 0);
  if (length > MAXIMUM_METADATA)
    throw new WeightsError(
      `checkpoint ${file}: its metadata take ${length} characters, at most ${MAXIMUM_METADATA} are read; the file is damaged`,
    );
  try {
    const parsed = Object.fromEntries(
      keys.map((key) => [key, JSON.parse(checkpoint.metadata[key] ?? "null")]),
    );
    return checkpointMetadata.parse(parsed);
  } catch (error) {
    throw new WeightsError(
      `checkpoint ${file}: its metadata cannot be read; the file is damaged or was written by another version`,
      { cause: error },
    );
  }
}
