/** @file The order in which an epoch visits the training images. */

import { at } from "../core/at.ts";
import { permutation, randomStream } from "../core/random.ts";
import type { Dataset } from "./types.ts";

/**
 * Image numbers of the training part, shuffled for one epoch: a Fisher-Yates permutation keyed by
 * (seed, epoch), so that a resumed run visits what an uninterrupted one would.
 */
export function epochOrder(
  dataset: Pick<Dataset, "train">,
  seed: number,
  epoch: number,
): Int32Array {
  const { train } = dataset;
  const order = permutation(train.length, randomStream(seed, "order", epoch));
  return order.map((i) => at(train, i, "train"));
}
