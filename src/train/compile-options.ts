/** @file From a training setup to what is compiled: batches, updates of an epoch, options of the step. */

import type { CompileOptions } from "../compile/index.ts";
import { at } from "../core/at.ts";
import { checkPositiveInteger } from "../core/checks.ts";
import { ArgumentError, ShapeError } from "../core/errors.ts";
import type { Dataset } from "../data/types.ts";
import { implementationsOf } from "../engine/tuning/convolution-choice.ts";
import type { Optimizer } from "../optimizers/index.ts";
import { compiledPart, resolveRecipe } from "../record/index.ts";
import { firstUpdatesIn, groupsIn, trainFromIn } from "./freezing/unfreeze.ts";
import type { TrainingSetup } from "./options.ts";
import { balancedWeights } from "./scores.ts";

/**
 * Batches and updates of an epoch.
 * @throws ArgumentError where the batch, or what an update takes of them, exceeds the training split
 */
export function planEpoch(setup: TrainingSetup): {
  batch: number;
  /** Size of the last batch where it is smaller, else 0. */
  lastBatch: number;
  /** Batches that an update takes its gradient from; the last update of an epoch may take fewer. */
  accumulate: number;
  /** Images that an epoch trains on: all, unless the last are dropped. */
  images: number;
  updatesPerEpoch: number;
} {
  const { batch, accumulate, dropLast } = resolveRecipe(setup);
  checkPositiveInteger("training", "batch", batch);
  checkPositiveInteger("training", "accumulate", accumulate);
  const all = setup.dataset.train.length;
  if (batch > all)
    throw new ArgumentError(
      `training: batch must not exceed the training split; got ${batch} for ${all} images. Use --batch ${all} or less`,
    );
  const whole = batch * accumulate;
  if (dropLast && whole > all)
    throw new ArgumentError(
      `training: an update takes ${accumulate} batches of ${batch}, more than the ${all} images of the training split, and smaller ones are dropped. Lower --accumulate`,
    );
  const images = dropLast ? all - (all % whole) : all;
  return {
    batch,
    lastBatch: images % batch,
    accumulate,
    images,
    updatesPerEpoch: Math.ceil(images / whole),
  };
}

/**
 * How the network's step is compiled.
 * @param epoch in which it is made, where something is unfrozen; default the first
 * @throws ArgumentError where the batch exceeds the training split
 */
export function compileOptions(
  setup: TrainingSetup,
  optimizer: Optimizer,
  epoch = 1,
): CompileOptions {
  const { network, backend } = setup;
  const { batch, lastBatch, accumulate, updatesPerEpoch } = planEpoch(setup);
  // The type says that the compiler has an option of each such name.
  const compiled: Pick<CompileOptions, keyof ReturnType<typeof compiledPart>> = compiledPart(setup);
  const parameterGroups = groupsIn(setup, epoch);
  const firstUpdates = firstUpdatesIn(setup, epoch, updatesPerEpoch);
  const classWeights = setup.classWeights === "balanced" ? balanced(setup) : setup.classWeights;
  return {
    network,
    backend,
    batch,
    lastBatch,
    optimizer,
    slots: 2,
    accumulate: accumulate > 1,
    threads: setup.threads ?? backend.threads,
    ...compiled,
    ...(classWeights ? { classWeights } : {}),
    ...(setup.convolutions ? { implementations: implementationsOf(setup.convolutions) } : {}),
    trainFrom: trainFromIn(setup, epoch),
    ...(firstUpdates.size > 0 ? { firstUpdates } : {}),
    ...(parameterGroups ? { parameterGroups } : {}),
    ...(setup.average ? { average: true } : {}),
  };
}

const balanced = ({ dataset }: TrainingSetup): number[] =>
  balancedWeights(
    dataset.train.map((i) => at(dataset.labels, i, "labels")),
    dataset.classes.length,
  );

/** By what the mean loss of some images counts in that of its update: their count, or the weights of their classes. */
export const batchWeight =
  ({ labels }: Pick<Dataset, "labels">, classWeights: readonly number[] | undefined) =>
  (images: Int32Array): number =>
    classWeights
      ? images.reduce((sum, image) => sum + (classWeights[labels[image] ?? -1] ?? 0), 0)
      : images.length;

/** @throws ShapeError where the network's input or output does not fit the data set */
export function checkFits({ dataset, network }: TrainingSetup): void {
  const [channels, height, width] = network.inputShape;
  if (channels !== dataset.channels || height !== dataset.size || width !== dataset.size)
    throw new ShapeError(
      `model "${network.name}": input [${network.inputShape.join(", ")}] must match the images [${dataset.channels}, ${dataset.size}, ${dataset.size}] of "${dataset.record.name}"; build the model with channels ${dataset.channels} and size ${dataset.size}`,
    );
  if (network.classes !== dataset.classes.length)
    throw new ShapeError(
      `model "${network.name}": ${network.classes} outputs must match the ${dataset.classes.length} classes of "${dataset.record.name}"; build the model with classes ${dataset.classes.length}`,
    );
}
