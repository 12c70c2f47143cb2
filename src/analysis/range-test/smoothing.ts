/** @file Exponential smoothing of a range test's loss. */

import { present } from "../../core/at.ts";
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
 * Variance of the smoothed loss of point `at`, from 0, where each loss has noise of variance 1 of its own: the
 * squared weights of the losses up to it, summed. Tends to w / (2 - w) for a weight w of the newest loss.
 */
export function smoothedVariance(
  at: number,
  { kind, weight: w }: Required<SmoothingOptions>,
): number {
  if (kind === "none") return 1;
  const left = (1 - w) ** at;
  const tail = w / (2 - w);
  if (kind === "published") return tail + (1 - tail) * left * left;
  const lost = left * (1 - w);
  return (tail * (1 - lost * lost)) / (1 - lost) ** 2;
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
