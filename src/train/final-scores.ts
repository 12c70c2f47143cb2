/** @file What is said of a trial's weights once it has ended: which images they answer rightly, and the test part. */

import type { Dataset } from "../data/types.ts";
import {
  type EpochMetrics,
  packAnswers,
  type RightAnswers,
  type TestScore,
} from "../record/index.ts";
import { finite } from "./emit.ts";
import { balancedAccuracy, perClassAccuracy } from "./scores.ts";
import type { Evaluation, Trainer } from "./trainer.ts";

/**
 * What the last weights answer on the validation part; null where the last epoch was not validated. A trial
 * that went on from its last epoch validates once more, to the same bits.
 */
export async function answersOf({
  trainer,
  dataset,
  metrics,
  evaluation,
}: {
  readonly trainer: Trainer;
  readonly dataset: Dataset;
  readonly metrics: readonly EpochMetrics[];
  readonly evaluation: Evaluation | null;
}): Promise<RightAnswers | null> {
  const last = metrics.at(-1);
  if (!last || last.validationAccuracy === null) return null;
  const { right } = evaluation ?? (await trainer.evaluate(dataset.validation));
  return packAnswers(right, last.epoch);
}

/** Counts of more classes than this are left out of the record: they would be most of it. */
const CONFUSION_CLASSES = 100;

/** The test part, by the weights that the trainer has now, of the given epoch. */
export async function scoreTest(
  trainer: Trainer,
  dataset: Dataset,
  epoch: number,
): Promise<TestScore> {
  const { loss, accuracy, confusion } = await trainer.evaluate(dataset.test);
  const perClass = perClassAccuracy(confusion);
  return {
    epoch,
    images: dataset.test.length,
    loss: finite(loss),
    accuracy: finite(accuracy),
    balancedAccuracy: balancedAccuracy(perClass),
    perClass,
    ...(perClass.length <= CONFUSION_CLASSES
      ? { confusion: confusion.map((row) => [...row]) }
      : {}),
  };
}
