/**
 * @file Bootstrap interval of a mean, bias-corrected and accelerated. B. Efron, "Better bootstrap
 * confidence intervals", Journal of the American Statistical Association 82 (1987) 171-185.
 */

import { randomStream } from "../../core/random.ts";
import type { Interval, PairedDifference } from "../../record/index.ts";
import { normalCdf, normalQuantile } from "./normal.ts";
import { mean } from "./statistics.ts";
import { LEVEL } from "./student-t.ts";

/** Below so many values a resample is hardly anything but the sample again. */
export const BOOTSTRAP_FROM = 8;
export const RESAMPLES = 10_000;

/** 95% interval of the mean from 10,000 seeded resamples: the same values give the same interval. */
export function bootstrapMean(values: readonly number[]): PairedDifference["bootstrap"] {
  if (values.length < BOOTSTRAP_FROM) return null;
  const stream = randomStream(0, "bootstrap");
  const means = Array.from({ length: RESAMPLES }, () => {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += values[stream.below(values.length)]!;
    return sum / values.length;
  });
  return { ...bcaInterval(values, means), resamples: RESAMPLES };
}

/**
 * The interval that resampled means give: with z0 = Phi^-1(part of them below the mean, ties half)
 * and the acceleration a = sum d^3 / (6 (sum d^2)^(3/2)) of the jackknife's deviations d, its ends
 * are the quantiles at Phi(z0 + (z0 + z) / (1 - a (z0 + z))), z = -+1.96. The plain quantiles where
 * the values are all alike or every resampled mean lies on one side.
 */
export function bcaInterval(
  values: readonly number[],
  means: readonly number[],
): Interval & { method: "bca" | "percentile" } {
  const sorted = [...means].sort((a, b) => a - b);
  const centre = mean(values);
  const below = sorted.filter((value) => value < centre).length;
  const equal = sorted.filter((value) => value === centre).length;
  const z0 = normalQuantile((below + equal / 2) / sorted.length);
  // The jackknife mean without value i deviates from their mean by (value_i - mean) / (n - 1), with
  // the sign that makes d = (value_i - mean); the factor cancels.
  const deviations = values.map((value) => value - centre);
  const squares = deviations.reduce((sum, d) => sum + d * d, 0);
  const acceleration = deviations.reduce((sum, d) => sum + d ** 3, 0) / (6 * squares ** 1.5);
  const tail = (1 - LEVEL) / 2;
  if (!Number.isFinite(z0) || !Number.isFinite(acceleration))
    return { low: quantile(sorted, tail), high: quantile(sorted, 1 - tail), method: "percentile" };
  const end = (p: number) => {
    const shifted = z0 + normalQuantile(p);
    return quantile(sorted, normalCdf(z0 + shifted / (1 - acceleration * shifted)));
  };
  return { low: end(tail), high: end(1 - tail), method: "bca" };
}

/** Linear between order statistics, as numpy's default. `sorted` ascending, not empty; 0 <= p <= 1. */
export function quantile(sorted: readonly number[], p: number): number {
  const at = p * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(sorted.length - 1, low + 1);
  return sorted[low]! + (at - low) * (sorted[high]! - sorted[low]!);
}
