/** @file Decoding for prediction: arbitrary files, treated as the training images were. */

import { availableParallelism } from "node:os";
import { loadAddon } from "../addon/index.ts";
import { checkPositiveInteger } from "../core/checks.ts";
import { ArgumentError } from "../core/errors.ts";
import { decodeImages } from "./decode.ts";
import type { DecodeForPrediction } from "./types.ts";

/**
 * Decode files exactly as the data set that `preprocessing` comes from.
 * `pixels` is (size, size, channels) u8, or null with a `reason` for a file that cannot be used.
 * @throws ArgumentError for preprocessing of another kind than this version knows
 */
export const decodeForPrediction: DecodeForPrediction = async (files, preprocessing) => {
  const { resize = "cover", filter = "triangle" } = preprocessing;
  const size = Number(preprocessing.size);
  const channels = Number(preprocessing.channels);
  checkPositiveInteger("preprocessing", "size", size);
  if ((channels !== 1 && channels !== 3) || resize !== "cover" || filter !== "triangle")
    throw new ArgumentError(
      `preprocessing: cover, triangle and 1 or 3 channels are known; got ${resize}, ${filter} and ${preprocessing.channels}`,
    );
  const bytes = size * size * channels;
  const pixels = new Uint8Array(files.length * bytes);
  const threads = availableParallelism();
  const reasons = await decodeImages(files, pixels, { size, channels, threads });
  return files.map((file, i) => {
    const reason = reasons[i]!;
    return {
      file,
      pixels: reason === null ? pixels.subarray(i * bytes, (i + 1) * bytes) : null,
      reason,
    };
  });
};

export interface FillPredictionsOptions {
  /** (B, channels, size, size) f32, plain order; the first `pixels.length` images are written. */
  readonly images: Float32Array;
  /** (size, size, channels) u8 each, as `decodeForPrediction` gives them. */
  readonly pixels: readonly Uint8Array[];
  readonly size: number;
  readonly channels: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Normalise decoded images into a program's input: (x / 255 - mean) / std, plain order. */
export function fillPredictions(options: FillPredictionsOptions): void {
  const { images, pixels, size, channels, mean, std } = options;
  for (const [first, image] of pixels.entries())
    loadAddon().normaliseImages(image, images, { size, channels, first, mean, std });
}
