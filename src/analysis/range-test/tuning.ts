/**
 * @file A rate tuned by short runs about the one that a range test suggests: which rates are still to be tried,
 * and what those that were say. Pure, so that a tuning that is interrupted goes on with the same ones.
 */

import { at, present } from "../../core/at.ts";
import type { Interval, RangeTestTuning } from "../../record/index.ts";
import { spreadOf } from "../statistics/spread.ts";
import { tInterval } from "../statistics/student-t.ts";

/** Between a rate and the next that is tried. */
const FACTOR = 2;

/** Steps by that factor, up or down, beyond which no rate is tried: 128 times. */
const MOST_STEPS = 7;

/** What the runs at one rate came to, seed by seed. */
export interface TriedRate {
  /** So many times twice the suggested rate. */
  readonly step: number;
  /** After the last epoch, 0 .. 1; 0 where the run diverged. */
  readonly accuracies: readonly number[];
  /** null where the run diverged. */
  readonly losses: readonly (number | null)[];
}

/** The rate of a step, to three digits, as people type it. */
export const rateOfStep = (suggested: number, step: number): number =>
  Number((suggested * FACTOR ** step).toPrecision(3));

/**
 * Steps to try next: the suggestion, half and twice it; then one further on the side where the best lies at
 * the end of what was tried. None where it lies between two, or 128 times from the suggestion.
 */
export function stepsToTry(tried: readonly TriedRate[]): number[] {
  const known = new Set(tried.map(({ step }) => step));
  const first = [-1, 0, 1].filter((step) => !known.has(step));
  if (first.length > 0) return first;
  const { step } = bestOf(tried);
  const next = !known.has(step + 1) ? step + 1 : !known.has(step - 1) ? step - 1 : null;
  return next === null || Math.abs(next) > MOST_STEPS ? [] : [next];
}

/**
 * The best rate, how sure the seeds are of it, and what the suggestion falls short of it by. All seeds are
 * tried at all rates, so that differences are of pairs.
 *
 * Each seed's own best rate is the vertex of the parabola through its best accuracy and the two beside it,
 * over the logarithm of the rate; the interval is the t interval over those, no narrower than half a step to
 * either side, and never beyond the rates that were tried.
 */
export function tuningOf(
  tried: readonly TriedRate[],
  about: Pick<RangeTestTuning, "epochs" | "seeds" | "schedule"> & { readonly suggested: number },
): RangeTestTuning {
  const { suggested, ...rest } = about;
  const ascending = [...tried].sort((a, b) => a.step - b.step);
  const best = bestOf(ascending);
  const own = present(
    ascending.find(({ step }) => step === 0),
    "the own rate",
  );
  const steps = ascending.map(({ step }) => step);
  return {
    ...rest,
    candidates: ascending.map(({ step, accuracies, losses }) => ({
      factor: FACTOR ** step,
      rate: rateOfStep(suggested, step),
      validationAccuracy: spreadOf(accuracies),
      validationLoss: spreadOf(losses),
      diverged: losses.filter((loss) => loss === null).length,
    })),
    rate: rateOfStep(suggested, best.step),
    interval: intervalOf(ascending, { best: best.step, suggested }),
    bracketed: steps.includes(best.step - 1) && steps.includes(best.step + 1),
    regret: spreadOf(
      best.accuracies.map((accuracy, i) => accuracy - at(own.accuracies, i, "accuracies")),
    ),
  };
}

/** Greatest mean accuracy; of equals the least mean loss, then the nearest to the suggestion. */
function bestOf(tried: readonly TriedRate[]): TriedRate {
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const loss = ({ losses }: TriedRate) =>
    mean(losses.map((value) => value ?? Number.POSITIVE_INFINITY));
  const better = (one: TriedRate, other: TriedRate): boolean => {
    const [a, b] = [mean(one.accuracies), mean(other.accuracies)];
    if (a !== b) return a > b;
    if (loss(one) !== loss(other)) return loss(one) < loss(other);
    return Math.abs(one.step) < Math.abs(other.step);
  };
  return tried.reduce((top, one) => (better(one, top) ? one : top));
}

function intervalOf(
  ascending: readonly TriedRate[],
  { best, suggested }: { best: number; suggested: number },
): Interval {
  const seeds = at(ascending, 0, "ascending").accuracies.map((_, seed) =>
    bestStepOf(ascending, seed),
  );
  const over = tInterval(seeds) ?? { low: best, high: best };
  const [least, greatest] = [
    at(ascending, 0, "ascending").step,
    at(ascending, -1, "ascending").step,
  ];
  return {
    low: rateOfStep(suggested, Math.max(least, Math.min(over.low, best - 0.5))),
    high: rateOfStep(suggested, Math.min(greatest, Math.max(over.high, best + 0.5))),
  };
}

/** Of one seed, between the steps that were tried. */
function bestStepOf(ascending: readonly TriedRate[], seed: number): number {
  const of = (one: TriedRate): TriedRate => ({
    ...one,
    accuracies: [at(one.accuracies, seed, "accuracies")],
    losses: [at(one.losses, seed, "losses")],
  });
  const { step } = bestOf(ascending.map(of));
  const accuracyAt = (wanted: number) =>
    ascending.find((one) => one.step === wanted)?.accuracies[seed];
  const top = present(accuracyAt(step), "step");
  const [before, after] = [accuracyAt(step - 1), accuracyAt(step + 1)];
  if (before === undefined || after === undefined) return step;
  const curvature = before - 2 * top + after;
  return curvature < 0
    ? step + Math.max(-0.5, Math.min(0.5, (0.5 * (before - after)) / curvature))
    : step;
}
