/** @file Where axes begin, end and carry numbers. */

/** Beneath, numbers lose their digits; above, ten times a power of ten is none. */
const LEAST_STEP = 1e-307;
const GREATEST_STEP = 1e307;

/** 1, 2 or 5 times a power of ten, so that `extent` holds at most about `count` of it. */
export function niceStep(extent: number, count: number): number {
  const rough = Math.min(Math.max(extent / Math.max(1, count), LEAST_STEP), GREATEST_STEP);
  const power = 10 ** Math.floor(Math.log10(rough));
  const digit = [1, 2, 5, 10].find((candidate) => candidate * power >= rough * 0.999) ?? 10;
  return digit * power;
}

/** Multiples of a nice step within [low, high], finite; the two ends where no step is told from them. */
export function linearTicks(low: number, high: number, count: number): number[] {
  if (!(high > low)) return [low];
  if (!Number.isFinite(high - low))
    return linearTicks(low / 4, high / 4, count).map((tick) => tick * 4);
  // A step that the ends' own digits do not hold makes the same tick many times, or none.
  if (high - low < Math.max(LEAST_STEP, 1e-11 * Math.max(Math.abs(low), Math.abs(high))))
    return [low, high];
  const step = niceStep(high - low, count);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => rounded((first + i) * step));
}

/** Whole numbers only: updates, epochs. */
export const integerTicks = (low: number, high: number, count: number) => [
  ...new Set(linearTicks(low, high, count).filter(Number.isInteger)),
];

/** Powers of ten within [low, high], every second or third one where there are more than `count`. */
export function decades(low: number, high: number, count = 12): number[] {
  const first = Math.ceil(Math.log10(positive(low)) - 1e-9);
  const last = Math.floor(Math.log10(positive(high)) + 1e-9);
  const all = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
  const every = Math.ceil(all.length / count);
  return all.filter((_, i) => i % every === 0).map((exponent) => Number(`1e${exponent}`));
}

/** Ends of a log axis about the rates: half a decade of room on either side, so a tick or more. */
export function rateDomain(rates: readonly number[]): [number, number] {
  const least = rates.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const greatest = rates.reduce((a, b) => Math.max(a, b), 0);
  return [positive(least / 3.2), positive(greatest * 3.2)];
}

/** The nearest number that a log axis can begin or end at. */
export const positive = (value: number) =>
  Math.min(Math.max(value, Number.MIN_VALUE), Number.MAX_VALUE);

/** The nearest number that a linear axis can begin or end at. */
export const finite = (value: number) =>
  Math.min(Math.max(value, -Number.MAX_VALUE), Number.MAX_VALUE);

/** Ends of an axis of fractions: whole steps of 5 or 10 percent about the values, within 0 .. 1. */
export function fractionDomain(values: readonly number[]): [number, number] {
  if (values.length === 0) return [0, 1];
  const least = Math.min(...values);
  const greatest = Math.max(...values);
  const step = greatest - least > 0.25 ? 0.1 : 0.05;
  const low = Math.max(0, rounded(Math.floor(least / step + 1e-9) * step));
  const high = Math.min(1, rounded(Math.ceil(greatest / step - 1e-9) * step));
  return high > low ? [low, high] : [Math.max(0, high - step), Math.max(high, step)];
}

/** Without the last bits that arithmetic adds: 0.30000000000000004 is 0.3. */
const rounded = (value: number) => Number(value.toPrecision(12));
