/**
 * @file A snapshot ensemble: the mean of the probabilities that a network gave at the ends of its
 * schedule's cycles (Huang et al. 2017, arxiv.org/abs/1704.00109), scored on the validation split.
 */

import { at } from "../../core/at.ts";
import { WeightsError } from "../../core/errors.ts";
import type { Checkpoint } from "../../formats/index.ts";
import type { NamedTensor } from "../read-tensors.ts";
import type { Probabilities } from "../trainer.ts";

const SUM = "snapshots:probabilities";
const COUNT = "snapshots:count";

export interface Snapshots {
  readonly count: number;
  /** Adds the probabilities of the weights as they are now; returns the ensemble's accuracy. */
  add(now: Probabilities): number;
  /** What a checkpoint has to hold for the ensemble to go on. */
  read(): NamedTensor[];
  /** @throws WeightsError where the checkpoint does not hold it */
  write(checkpoint: Checkpoint): void;
}

/** An empty ensemble over so many images and classes. */
export function openSnapshots(images: number, classes: number): Snapshots {
  // In float32, as a checkpoint holds it: resumed and uninterrupted runs add the same.
  const sum = new Float32Array(images * classes);
  let count = 0;
  return {
    get count() {
      return count;
    },
    add({ probabilities, labels }) {
      for (const [i, p] of probabilities.entries()) sum[i] = at(sum, i, "sum") + p;
      count++;
      let correct = 0;
      for (const [image, label] of labels.entries()) {
        const row = sum.subarray(image * classes, (image + 1) * classes);
        if (row.indexOf(Math.max(...row)) === label) correct++;
      }
      return correct / images;
    },
    read: () => [
      { name: SUM, shape: [images, classes], data: sum.slice() },
      { name: COUNT, shape: [1], data: Float32Array.of(count) },
    ],
    write({ tensors }) {
      const [stored, number] = [tensors.get(SUM)?.data, tensors.get(COUNT)?.data];
      if (stored?.length !== sum.length || number?.length !== 1)
        throw new WeightsError(
          "checkpoint: it holds no snapshots; it is of a run without --snapshots",
        );
      sum.set(stored as Float32Array);
      count = Number(number[0]);
    },
  };
}
