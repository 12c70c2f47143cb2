/** @file Smoothing of a range test's loss: exponential, as it is measured, and about each rate, once the curve is whole. */

import { at, present } from "../../core/at.ts";
import { ArgumentError } from "../../core/errors.ts";

/** Weight of the newest loss, as published. */
export const SMOOTHING_WEIGHT = 0.05;

/** Powers of ten of the rate after which a loss is forgotten, in proportion. */
const MEMORY = 0.5;

/**
 * Ways to smooth, by the name that records and flags use, each with the weight of the newest loss:
 * the first is the default.
 */
export const SMOOTHINGS = {
  /** Bias-corrected, with `proportionalWeight` of the ramp; the weight here is that of 200 updates over five powers of ten. */
  proportional: 0.05,
  /** `s = w loss + (1 - w) s`, from the first loss; w = 0.05. As the 2019 publication, and pytorch-lr-finder. */
  published: SMOOTHING_WEIGHT,
  /** `v = w loss + (1 - w) v` from 0, `s = v / (1 - (1 - w)^n)`; w = 0.02. As fastai 2.x. */
  "bias-corrected": 0.02,
  /** The loss itself. */
  none: 1,
} as const;

/** How a range test's loss is smoothed. */
export type Smoothing = keyof typeof SMOOTHINGS;

export interface SmoothingOptions {
  /** Default "published". */
  readonly kind?: Smoothing;
  /** Weight of the newest loss, in (0, 1]; default that of the kind. */
  readonly weight?: number;
}

/**
 * The weight with which a loss is forgotten over half a power of ten of the rate, however many updates the
 * ramp takes for that: what smoothing lags by is then the same part of the curve. In (0, 1].
 * @param ramp rates of its first and last point, and how many there are
 */
export function proportionalWeight(ramp: {
  readonly first: number;
  readonly last: number;
  readonly points: number;
}): number {
  const powers = ramp.points < 2 ? 0 : Math.log10(ramp.last / ramp.first);
  return powers > 0 ? Math.min(1, powers / MEMORY / (ramp.points - 1)) : 1;
}

/** @throws ArgumentError on a name that is no way to smooth. */
export function checkSmoothing(name: string): asserts name is Smoothing {
  if (!Object.hasOwn(SMOOTHINGS, name))
    throw new ArgumentError(
      `smoothing: must be one of ${Object.keys(SMOOTHINGS).join(", ")}; got "${name}"`,
    );
}

/**
 * A smoother to be fed one loss at a time. All kinds begin at the first loss; the published one
 * leaves it slowly, a bias-corrected one is the weighted mean of what it has seen. It is not meant
 * for a loss that is not finite: stop there.
 * @throws ArgumentError on an unknown kind, or a weight outside (0, 1]
 */
export function smoothing(options: SmoothingOptions = {}): (loss: number) => number {
  const { kind = "published" } = options;
  checkSmoothing(kind);
  const { weight = SMOOTHINGS[kind] } = options;
  if (!(weight > 0 && weight <= 1))
    throw new ArgumentError(`smoothing: weight must be above 0, and at most 1; got ${weight}`);
  if (kind === "none") return (loss) => loss;
  let sum: number | undefined;
  if (kind === "published")
    return (loss) => {
      sum = sum === undefined ? loss : weight * loss + (1 - weight) * sum;
      return sum;
    };
  let left = 1;
  return (loss) => {
    sum = weight * loss + (1 - weight) * (sum ?? 0);
    left *= 1 - weight;
    return sum / (1 - left);
  };
}

/**
 * Powers of ten of the rate: standard deviation of the weights of `aboutEachRate`. By the regret study, of
 * those from 0.15 to 0.5.
 */
export const LOCAL_WIDTH = 0.4;

/** Of the points: the greatest such deviation. It is what a ramp over less than four powers of ten has, and a linear one. */
const LOCAL_SHARE = 0.1;

/** Deviations beyond which a loss weighs less than rounding. */
const LOCAL_REACH = 8;

/** Of more points than these, as many neighbours as it takes are one. */
const MOST_POINTS = 1024;

/**
 * The mean of the losses about each rate, by Gaussian weights of their distance in powers of ten, or in points
 * where that makes it greater (Nadaraya, Watson 1964), and the variance that it has where each loss has noise of
 * variance 1 of its own. It lags neither way, and means the same for ramps of any length.
 * @param lrs ascending, above 0
 */
export function aboutEachRate(
  lrs: readonly number[],
  losses: readonly number[],
  width = LOCAL_WIDTH,
): LocalMeans {
  const logs = Float64Array.from(lrs, Math.log10);
  const size = Math.ceil(lrs.length / MOST_POINTS);
  if (size <= 1) return localMeans(logs, Float64Array.from(losses), width);
  const { means, variances } = localMeans(
    meansOfGroups(logs, size),
    meansOfGroups(losses, size),
    width,
  );
  return {
    means: betweenGroups(means, size, lrs.length),
    variances: betweenGroups(variances, size, lrs.length).map((variance) => variance / size),
  };
}

interface LocalMeans {
  readonly means: readonly number[];
  readonly variances: readonly number[];
}

function localMeans(logs: Float64Array, losses: Float64Array, width: number): LocalMeans {
  const points = LOCAL_SHARE * logs.length;
  const means: number[] = [];
  const variances: number[] = [];
  for (let c = 0; c < logs.length; c++) {
    let [weights, squares, sum] = [0, 0, 0];
    const add = (i: number): boolean => {
      const powers = Math.abs((logs[i] as number) - (logs[c] as number)) / width;
      const distance = Math.max(powers, Math.abs(i - c) / points);
      const weight = Math.exp(-0.5 * distance * distance);
      weights += weight;
      squares += weight * weight;
      sum += weight * (losses[i] as number);
      return distance < LOCAL_REACH;
    };
    // Outwards, as the distance grows either way.
    add(c);
    for (let i = c - 1; i >= 0 && add(i); i--);
    for (let i = c + 1; i < logs.length && add(i); i++);
    means.push(sum / weights);
    variances.push(squares / weights ** 2);
  }
  return { means, variances };
}

/** The mean of every `size` neighbours; the last may be of fewer. */
function meansOfGroups(values: ArrayLike<number>, size: number): Float64Array {
  return Float64Array.from({ length: Math.ceil(values.length / size) }, (_, group) => {
    const end = Math.min(values.length, (group + 1) * size);
    let sum = 0;
    for (let i = group * size; i < end; i++) sum += values[i] as number;
    return sum / (end - group * size);
  });
}

/** From values in the middles of groups to one for each of their members, on straight lines. */
function betweenGroups(values: readonly number[], size: number, length: number): number[] {
  const last = values.length - 1;
  return Array.from({ length }, (_, i) => {
    const place = Math.min(last, Math.max(0, (i + 0.5) / size - 0.5));
    const below = Math.min(last, Math.floor(place));
    const [low, high] = [
      at(values, below, "values"),
      at(values, Math.min(last, below + 1), "values"),
    ];
    return low + (place - below) * (high - low);
  });
}

/** A whole curve, smoothed. A value that is not finite ends it: it and all after it are null. */
export function smooth(
  losses: readonly (number | null)[],
  options: SmoothingOptions = {},
): (number | null)[] {
  const next = smoothing(options);
  let ended = false;
  return losses.map((loss) => {
    ended ||= loss === null || !Number.isFinite(loss);
    return ended ? null : next(present(loss, "loss"));
  });
}
