/** @file A suggested rate put to the test: short real runs at it, at a third and at three times it. */

import { spreadOf } from "../analysis/index.ts";
import { at } from "../core/at.ts";
import { checkNonNegativeInteger, checkPositive, checkPositiveInteger } from "../core/checks.ts";
import { ArgumentError } from "../core/errors.ts";
import type { Optimizer } from "../optimizers/index.ts";
import type { RangeTestConfirmation } from "../record/index.ts";
import { constant } from "../schedules/index.ts";
import { fit } from "./fit.ts";
import type { TrainingSetup } from "./options.ts";

/** What the suggestion is compared with, as multiples of it. */
const FACTORS = [1 / 3, 1, 3] as const;

export interface ConfirmOptions extends TrainingSetup {
  readonly optimizer: Optimizer;
  /** The suggested rate. */
  readonly rate: number;
  /** Of each run; default 2. */
  readonly epochs?: number;
  /** Each rate is tried with each seed; default [0, 1, 2]. */
  readonly seeds?: readonly number[];
}

/**
 * Trains with each of the three rates, constant, from the same weights and on the same batches for a
 * seed. The regret is the gap in validation accuracy, after the last epoch, between the best of the
 * three (by their means over seeds) and the suggested rate: 0 where that is the best. A run that
 * diverges counts with accuracy 0.
 * @throws ArgumentError before the first update where the options do not fit together
 * @throws InterruptedError where `signal` aborts
 */
export async function confirmSuggestion(options: ConfirmOptions): Promise<RangeTestConfirmation> {
  const { rate, epochs = 2, seeds = [0, 1, 2], optimizer } = options;
  checkPositive("confirm", "rate", rate);
  checkPositiveInteger("confirm", "epochs", epochs);
  if (seeds.length === 0) throw new ArgumentError("confirm: at least one seed must be given");
  for (const seed of seeds) checkNonNegativeInteger("confirm", "seed", seed);
  const candidates = FACTORS.map((factor) => ({
    factor,
    rate: factor * rate,
    accuracies: [] as number[],
  }));
  const trials = seeds.length * candidates.length;
  for (const [i, seed] of seeds.entries())
    for (const [j, candidate] of candidates.entries()) {
      const { metrics } = await fit({
        ...options,
        schedule: constant(candidate.rate),
        arm: `${optimizer.name}@${Number(candidate.rate.toPrecision(2))}`,
        seed,
        epochs,
        index: i * candidates.length + j,
        trials,
      });
      candidate.accuracies.push(metrics.at(-1)?.validationAccuracy ?? 0);
    }
  const measured = candidates.map(({ accuracies, ...candidate }) => ({
    ...candidate,
    validationAccuracy: spreadOf(accuracies),
  }));
  const suggested = at(
    measured.filter(({ factor }) => factor === 1),
    0,
    "candidates",
  );
  const meanOf = ({ validationAccuracy }: (typeof measured)[number]) =>
    validationAccuracy.mean ?? 0;
  // Of equals the suggestion is the best.
  const best = measured.reduce((top, one) => (meanOf(one) > meanOf(top) ? one : top), suggested);
  const gaps = best.validationAccuracy.values.map(
    (value, i) => (value ?? 0) - (suggested.validationAccuracy.values[i] ?? 0),
  );
  return {
    epochs,
    seeds: [...seeds],
    candidates: measured,
    best: best.rate,
    regret: spreadOf(gaps),
  };
}
