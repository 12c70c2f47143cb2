/**
 * @file A checkpoint of lrscope: a safetensors file whose metadata say all that prediction needs:
 * the network's graph, the classes, the normalisation and how an image is brought to size; and what
 * going on with the training needs: optimizer, schedule, seed and update count.
 */

import { WeightsError } from "../core/errors.ts";
import { type Checkpoint, shownName } from "../formats/index.ts";
import {
  CHECKPOINT_FORMAT,
  type CheckpointMetadata,
  checkpointMetadata,
  type TrialRecord,
} from "../record/index.ts";
import type { PlateauState } from "../schedules/index.ts";
import { wholeOf } from "./freezing/frozen-features.ts";
import type { TrainingSetup } from "./options.ts";
import type { NamedTensor } from "./trainer.ts";

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
  const metadata: Record<string, string> = { format: CHECKPOINT_FORMAT };
  for (const [key, value] of Object.entries(described)) metadata[key] = JSON.stringify(value);
  return {
    tensors: new Map(all.map(({ name, shape, data }) => [name, { shape: [...shape], data }])),
    metadata,
  };
}

/** @throws WeightsError where the file is no checkpoint of lrscope, or its metadata are damaged */
export function readMetadata(checkpoint: Checkpoint, file: string): CheckpointMetadata {
  if (checkpoint.metadata.format !== CHECKPOINT_FORMAT)
    throw new WeightsError(
      `checkpoint ${file}: its metadata must say format "${CHECKPOINT_FORMAT}"; got ${shownName(checkpoint.metadata.format ?? "none")}. Give best.safetensors or last.safetensors of a trial`,
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
