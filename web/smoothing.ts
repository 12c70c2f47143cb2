/** @file Smoothing of a curve that is looked at: what was measured is drawn behind it, and the formula beside it. */

/** As the page writes it. */
export const FORMULA = "sₜ = (w·sₜ₋₁ + (1 − w)·yₜ) / (1 − wᵗ), w = ";

/**
 * Exponential moving average, corrected for its beginning: the first value is the first measured, and a constant
 * stays what it is. Gaps stay gaps.
 * @param weight of the past, 0 to below 1
 */
export function smoothed(values: readonly (number | null)[], weight: number): (number | null)[] {
  let [sum, power] = [0, 1];
  return values.map((value) => {
    if (value === null) return null;
    sum = weight * sum + (1 - weight) * value;
    power *= weight;
    return sum / (1 - power);
  });
}
