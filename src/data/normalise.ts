/**
 * @file From 8-bit pixels to what a network takes: (x / 255 - mean) / std in planes. native/augment.cc does
 * the same in C++, bit for bit; test/datasets/twins.test.ts holds the two together.
 */

/** By channel, of pixels in 0 .. 1. */
export interface Normalization {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** The 256 values of each channel, rounded once to float32. */
export function normalisationTables({ mean, std }: Normalization): Float32Array[] {
  return mean.map((middle, channel) =>
    Float32Array.from({ length: 256 }, (_, value) => (value / 255 - middle) / std[channel]!),
  );
}

/**
 * Normalises one image.
 * Shapes: pixels (pixelCount, channels) u8 → into (channels, pixelCount) f32, from its start.
 */
export function normaliseImage(
  pixels: Uint8Array,
  into: Float32Array,
  tables: readonly Float32Array[],
): void {
  const channels = tables.length;
  const plane = pixels.length / channels;
  for (const [channel, table] of tables.entries())
    for (let p = 0; p < plane; p++)
      into[channel * plane + p] = table[pixels[p * channels + channel]!]!;
}

export interface FillPredictionsOptions extends Normalization {
  /** (B, channels, size, size) f32, plain order; the first `pixels.length` images are written. */
  readonly images: Float32Array;
  /** (size, size, channels) u8 each. */
  readonly pixels: readonly Uint8Array[];
  readonly size: number;
  readonly channels: number;
}

/** Normalises decoded images into a program's input: (x / 255 - mean) / std, plain order. */
export function fillPredictions(options: FillPredictionsOptions): void {
  const { images, pixels, size, channels } = options;
  const length = size * size * channels;
  const tables = normalisationTables(options);
  for (const [i, image] of pixels.entries())
    normaliseImage(image, images.subarray(i * length, (i + 1) * length), tables);
}
