/** @file Where axes begin, end and carry numbers. */

/** 1, 2 or 5 times a power of ten, so that `extent` holds at most about `count` of it. */
export function niceStep(extent: number, count: number): number {
  const rough = extent / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const digit = [1, 2, 5, 10].find((candidate) => candidate * power >= rough * 0.999) ?? 10;
  return digit * power;
}

/** Multiples of a nice step within [low, high]. */
export function linearTicks(low: number, high: number, count: number): number[] {
  if (!(high > low)) return [low];
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
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  const all = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
  const every = Math.ceil(all.length / count);
  return all.filter((_, i) => i % every === 0).map((exponent) => Number(`1e${exponent}`));
}

/** Ends of a log axis about the rates: half a decade of room on either side, so a tick or more. */
export function rateDomain(rates: readonly number[]): [number, number] {
  return [Math.min(...rates) / 3.2, Math.max(...rates) * 3.2];
}

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
