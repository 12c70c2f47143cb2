/**
 * @file The curves of a range test's seeds as their one mean, and how far it can be trusted: what it says must
 * stand out of its own noise, and its minimum must have something on either side.
 */

import { at } from "../../core/at.ts";
import { mean, standardDeviation } from "../statistics/statistics.ts";
import { argmin, type Curve } from "./rules.ts";
import { aboutEachRate } from "./smoothing.ts";

/** One seed's losses as they were measured, up to the first that is not finite. */
export interface RawCurve {
  readonly seed: number;
  readonly lrs: readonly number[];
  readonly losses: readonly number[];
  /** null where a point has none. */
  readonly accuracies: readonly (number | null)[];
  /** It ended before the ramp did: its loss was no longer finite, or had risen too far. */
  readonly ended: boolean;
}

/** A mean of curves, smoothed about each rate. */
export interface AveragedCurve extends Curve {
  /** Index of the first least smoothed loss behind the beginning of the ramp, where no point is a candidate. */
  readonly least: number;
  /** By how much the least lies below the beginning of the whole ramp. */
  readonly fall: number;
  /** Mean loss of that beginning. */
  readonly begin: number;
  /** Standard deviation that `fall` has of noise alone. */
  readonly noise: number;
  /** All curves ended before the ramp did. */
  readonly ended: boolean;
}

/** Part of the ramp, at its end, in which a minimum does not count as bracketed; at least one point. */
const UNBRACKETED_TAIL = 0.05;

/** A rise by less than so many standard deviations of noise is none. */
const RISEN_NOISE = 2;

/** A fall of the loss by less than this part of it says nothing. */
const FLAT_FALL = 0.02;

/**
 * A fall by less than so many standard deviations of noise says nothing. The least of some dozen smoothed
 * values of noise alone lies two or three below their mean: the guide has how often one is taken for a fall.
 */
const FLAT_NOISE = 4;

/** The noise of n steps counts as 1 + this / n times what they show. */
const FEW_STEPS = 4;

/** Part of the ramp whose mean is where the loss began; at least one point. */
const BEGINNING = 0.1;

/**
 * A loss of more than so many times that with which its curve began has diverged. In a mean it counts as no
 * more: one explosion is not the mean.
 */
export const GREATEST_LOSS = 2;

/** A curve that has ended goes on as an exploded loss for this part of its length; at least one point. */
const AFTERMATH = 0.1;

/** How many of a ramp's points are its beginning. */
export const beginning = (points: number): number => Math.max(1, Math.floor(BEGINNING * points));

/** A mean that does not depend on the order, to the bit. */
const orderless = (values: readonly number[]) => mean([...values].sort((a, b) => a - b));

/**
 * The mean of the curves, which share their ramp, at each of its points, and that smoothed. A curve that has
 * ended counts on as an exploded loss, also where all have. The order of the curves makes no difference.
 *
 * Half the mean squared successive difference of the losses is the variance of their noise; a smoothed loss
 * has a part of it, and the mean of k losses 1 / k.
 * @param curves at least one, none of them empty
 */
export function averaged(curves: readonly RawCurve[]): AveragedCurve {
  const { lrs } = curves.reduce((most, curve) =>
    curve.lrs.length > most.lrs.length ? curve : most,
  );
  const bounded = curves.map(({ losses }) => {
    const begin = mean(losses.slice(0, beginning(losses.length)));
    return { losses, most: begin > 0 ? GREATEST_LOSS * begin : Number.POSITIVE_INFINITY };
  });
  const raw = lrs.map((_, i) =>
    orderless(bounded.map(({ losses, most }) => Math.min(losses[i] ?? most, most))),
  );
  const ended = curves.every((curve) => curve.ended);
  const exploded = orderless(bounded.map(({ most }) => most));
  const after = ended && Number.isFinite(exploded) ? onwards(lrs) : [];
  const { means, variances } = aboutEachRate(
    [...lrs, ...after],
    [...raw, ...after.map(() => exploded)],
  );
  const losses = means.slice(0, lrs.length);
  const first = Math.min(beginning(lrs.length), lrs.length - 1);
  const least = first + argmin(losses.slice(first));
  const begin = mean(raw.slice(0, Math.max(1, first)));
  const steps = raw.slice(1, least + 1).map((loss, i) => loss - at(raw, i, "raw"));
  // Of a few steps the noise is not well known: it may be more.
  const single =
    ((standardDeviation(steps) ?? Number.POSITIVE_INFINITY) / Math.SQRT2) *
    (1 + FEW_STEPS / steps.length);
  const accuracies = lrs.map((_, i) =>
    orderless(curves.flatMap((curve) => curve.accuracies[i] ?? [])),
  );
  return {
    ...{ lrs, losses, least, begin, ended },
    ...(accuracies.every(Number.isFinite) ? { accuracies } : {}),
    fall: begin - at(losses, least, "losses"),
    noise: single * Math.sqrt(at(variances, least, "variances") + 1 / Math.max(1, first)),
  };
}

/** Rates that would have followed. */
function onwards(lrs: readonly number[]): number[] {
  const last = at(lrs, -1, "lrs");
  const step = lrs.length < 2 ? 1 : last / at(lrs, -2, "lrs");
  const points = Math.max(1, Math.round(AFTERMATH * lrs.length));
  return Array.from({ length: points }, (_, i) => last * step ** (i + 1));
}

/** Whether the least loss fails to lie clearly below the beginning: by 2% of it, and four times its noise. */
export const isFlat = ({ fall, begin, noise }: AveragedCurve): boolean =>
  !(fall > 0 && fall >= Math.max(FLAT_FALL * Math.abs(begin), FLAT_NOISE * noise));

/**
 * Whether the ramp ended by itself, and the loss was least in the last 5% of it, or has not clearly risen since:
 * by twice the noise of the fall.
 */
export function isUnbracketed({ losses, least, ended, noise }: AveragedCurve): boolean {
  const tail = Math.max(1, Math.ceil(UNBRACKETED_TAIL * losses.length));
  const rise = at(losses, -1, "losses") - at(losses, least, "losses");
  return !ended && (least >= losses.length - tail || rise < RISEN_NOISE * noise);
}
