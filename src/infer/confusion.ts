/** @file Which classes a stored network takes for which, on the validation images. */

import { at } from "../core/at.ts";
import { InterruptedError } from "../core/errors.ts";
import type { Dataset } from "../data/types.ts";
import type { Backend } from "../program/index.ts";
import { noConfusion } from "../train/scores.ts";
import { openPredictor } from "./predictor.ts";
import type { StoredNetwork } from "./stored-network.ts";

export interface ConfusionOptions {
  /** Of a trial on this data set. */
  readonly stored: StoredNetwork;
  readonly dataset: Dataset;
  readonly backend: Backend;
  /** Images a run; default 32. */
  readonly batch?: number;
  readonly threads: number;
  /** Ends the work between two batches, with an InterruptedError. */
  readonly signal?: AbortSignal;
}

export interface Confusion {
  /** Counts; rows are true classes, columns answers, both in the data set's order. */
  readonly counts: readonly (readonly number[])[];
  /** Wrong answers, the surest first: numbers of images and of classes, probability of the answer. */
  readonly mistakes: readonly {
    readonly image: number;
    readonly truth: number;
    readonly answer: number;
    readonly probability: number;
  }[];
}

/**
 * Classifies every validation image, without augmentation.
 * @throws WeightsError where the network gives no probabilities, as its logits overflow
 * @throws InterruptedError where `signal` aborts
 */
export async function countConfusion(options: ConfusionOptions): Promise<Confusion> {
  const { stored, dataset, backend, threads, signal } = options;
  const { validation, labels, classes } = dataset;
  const batch = Math.min(options.batch ?? 32, Math.max(1, validation.length));
  const { session, run } = await openPredictor(stored, { backend, batch, threads });
  const counts = noConfusion(classes.length);
  const mistakes: { image: number; truth: number; answer: number; probability: number }[] = [];
  try {
    const unused = new Int32Array(batch);
    for (let first = 0; first < validation.length; first += batch) {
      if (signal?.aborted) throw new InterruptedError("interrupted");
      const indices = validation.subarray(first, first + batch);
      await dataset.fill({ images: session.images(0), labels: unused, indices });
      const probabilities = await run(indices.length);
      for (const [row, image] of indices.entries()) {
        const own = probabilities.subarray(row * classes.length, (row + 1) * classes.length);
        const probability = own.reduce((most, value) => Math.max(most, value), 0);
        const answer = Math.max(0, own.indexOf(probability));
        const truth = at(labels, image, "labels");
        const answers = at(counts, truth, "counts");
        answers[answer] = (answers[answer] ?? 0) + 1;
        if (answer !== truth) mistakes.push({ image, truth, answer, probability });
      }
    }
  } finally {
    session.dispose();
  }
  mistakes.sort((a, b) => b.probability - a.probability);
  return { counts, mistakes };
}
