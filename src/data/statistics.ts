/** @file Mean and deviation of training images; native/cache.cc computes the same, bit for bit, as sums are exact. */

import type { Normalization } from "./normalise.ts";

/**
 * Of pixel / 255, by channel, over some images: mean and population standard deviation; 1 where a channel
 * never changes.
 * @param images (n, length) u8, `length` values of interleaved channels each
 */
export function pixelStatistics(
  images: Uint8Array,
  indices: Int32Array,
  { length, channels }: { readonly length: number; readonly channels: number },
): { mean: number[]; std: number[] } {
  const sums = new Float64Array(channels);
  const squares = new Float64Array(channels);
  for (const image of indices)
    for (let i = 0, at = image * length; i < length; i++, at++) {
      const value = images[at]!;
      sums[i % channels]! += value;
      squares[i % channels]! += value * value;
    }
  const count = (indices.length * length) / channels;
  return {
    mean: Array.from(sums, (sum) => sum / count / 255),
    std: Array.from(sums, (sum, channel) => {
      // In integers, where nothing cancels: n sum(x^2) - sum(x)^2.
      const scaled = BigInt(count) * BigInt(squares[channel]!) - BigInt(sum) * BigInt(sum);
      return scaled === 0n ? 1 : Math.sqrt(Number(scaled)) / count / 255;
    }),
  };
}

/** The same of a table's columns, of the values as they are. @param rows (n, columns) f32 */
export function columnStatistics(
  rows: Float32Array,
  indices: Int32Array,
  columns: number,
): Normalization {
  const mean = new Array<number>(columns).fill(0);
  const variance = new Array<number>(columns).fill(0);
  for (const row of indices)
    for (let c = 0; c < columns; c++) mean[c]! += rows[row * columns + c]! / indices.length;
  for (const row of indices)
    for (let c = 0; c < columns; c++)
      variance[c]! += (rows[row * columns + c]! - mean[c]!) ** 2 / indices.length;
  return { mean, std: variance.map((value) => (value > 0 ? Math.sqrt(value) : 1)) };
}
