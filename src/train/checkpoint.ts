/**
 * @file A checkpoint of lrscope: a safetensors file whose metadata say all that prediction needs:
 * the network's graph, the classes, the normalisation and how an image is brought to size; and what
 * going on with the training needs: optimizer, schedule, seed and update count.
 */

import { WeightsError } from "../core/errors.ts";
import {
  type Checkpoint,
  type CheckpointInParts,
  type StoredTensor,
  shownName,
} from "../formats/index.ts";
import {
  CHECKPOINT_FORMAT,
  type CheckpointMetadata,
  checkpointMetadata,
  type TrialRecord,
} from "../record/index.ts";
import type { PlateauState } from "../schedules/index.ts";
import { wholeOf } from "./freezing/frozen-features.ts";
import type { TrainingSetup } from "./options.ts";
import type { NamedParts, NamedTensor } from "./read-tensors.ts";

/** Characters of JSON in all metadata: parsed, two characters can take forty bytes. */
const MAXIMUM_METADATA = 8 * 2 ** 20;

interface CheckpointOptions {
  readonly setup: TrainingSetup;
  readonly trial: TrialRecord;
  readonly epoch: number;
  readonly plateau?: PlateauState | null;
  /** Of the tensors: the state that prediction reads instead of the parameters; default none. */
  readonly evaluationWeights?: string | null;
}

export function makeCheckpoint({
  tensors,
  ...options
}: CheckpointOptions & { readonly tensors: readonly NamedTensor[] }): Checkpoint {
  const all = [...(options.setup.features?.tensors ?? []), ...tensors];
  return {
    tensors: new Map(all.map(({ name, shape, data }) => [name, { shape: [...shape], data }])),
    metadata: metadataOf(options),
  };
}

/** The same of tensors that are read a part at a time, and of such as are in memory. */
export function makeCheckpointInParts({
  tensors,
  inMemory,
  ...options
}: CheckpointOptions & {
  readonly tensors: readonly NamedParts[];
  readonly inMemory: readonly NamedTensor[];
}): CheckpointInParts {
  const held = ({ name, shape, data }: NamedTensor): NamedParts => ({
    ...{ name, shape, dtype: "F32" },
    parts: () => [data],
  });
  const frozen = options.setup.features?.tensors ?? [];
  const all = [...frozen.map(held), ...tensors, ...inMemory.map(held)];
  return {
    tensors: new Map(all.map(({ name, ...tensor }) => [name, tensor])),
    metadata: metadataOf(options),
  };
}

function metadataOf(options: CheckpointOptions): Record<string, string> {
  const { setup, trial, epoch, plateau = null } = options;
  const { dataset, network } = wholeOf(setup);
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
  return metadata;
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

/** A parameter or statistic as the network is evaluated: frozen ones and statistics have no state. */
export const evaluatedTensor = (
  tensors: Checkpoint["tensors"],
  name: string,
  state: string | null,
): StoredTensor | undefined =>
  (state === null ? undefined : tensors.get(`${name}:${state}`)) ?? tensors.get(name);

/**
 * What a file's network was evaluated with, by name: of a checkpoint of lrscope's without the optimizer's state,
 * which stands for the parameters where the optimizer says so (Schedule-Free's "x", Lookahead's "slow");
 * of any other file all that it holds.
 * @throws WeightsError where the metadata name a state that the file does not hold
 */
export function evaluatedTensors(
  { tensors, metadata }: Checkpoint,
  file: string,
): { readonly tensors: Checkpoint["tensors"]; readonly state: string | null } {
  if (metadata.format !== CHECKPOINT_FORMAT) return { tensors, state: null };
  const said = parsedText(metadata.evaluationWeights ?? "null");
  const state = typeof said === "string" ? said : null;
  if (state !== null && ![...tensors.keys()].some((name) => name.endsWith(`:${state}`)))
    throw new WeightsError(
      `${file}: its network is evaluated with the state ${shownName(state)}, which it does not hold; the file is damaged: copy it again from where it came`,
    );
  const own = new Map<string, StoredTensor>();
  for (const name of tensors.keys()) {
    const tensor = name.includes(":") ? undefined : evaluatedTensor(tensors, name, state);
    if (tensor) own.set(name, tensor);
  }
  return { tensors: own, state };
}

/** The classes that a file of lrscope's names, checkpoint or ONNX model; null where it names none. */
export function namedClasses({ metadata }: Checkpoint): readonly string[] | null {
  const said = parsedText(metadata.classes ?? "null");
  return Array.isArray(said) && said.every((name) => typeof name === "string") ? said : null;
}

/** null for what is no JSON, or too much of it. */
function parsedText(text: string): unknown {
  if (text.length > MAXIMUM_METADATA) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
