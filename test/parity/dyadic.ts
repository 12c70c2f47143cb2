/**
 * @file Numbers that need no storing: an integer hash gives the same exact dyadic fractions here
 * and in dyadic.py, in float32 and float64 alike.
 */

/** A 32-bit hash of (index, salt). */
export function mix(index: number, salt: number): number {
  let x = (Math.imul(index + 1, 0x9e3779b1) ^ Math.imul(salt + 1, 0x85ebca6b)) >>> 0;
  x ^= x >>> 15;
  x = Math.imul(x, 0x2c1b3c6d) >>> 0;
  x ^= x >>> 12;
  x = Math.imul(x, 0x297a2d39) >>> 0;
  return (x ^ (x >>> 15)) >>> 0;
}

/** A multiple of 2^-15 in [-1, 1). */
export const dyadic = (index: number, salt: number): number =>
  ((mix(index, salt) >>> 16) - 32768) / 32768;

/** A loop: `from` with a function takes seconds for the weights of a ResNet-50. */
export function dyadics(count: number, salt: number): Float64Array {
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) values[i] = dyadic(i, salt);
  return values;
}
