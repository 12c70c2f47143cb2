/** @file Decoding for prediction: arbitrary files, treated as the training images were. */

import { InternalError } from "../core/errors.ts";
import type { DecodeForPrediction } from "./types.ts";

/**
 * Decode files exactly as the data set that `preprocessing` comes from.
 * `pixels` is (size, size, channels) u8, or null with a `reason` for a file that cannot be used.
 */
export const decodeForPrediction: DecodeForPrediction = async () => {
  throw new InternalError("decodeForPrediction is not reachable yet");
};

export interface FillPredictionsOptions {
  /** (B, channels, size, size) f32, plain order; the first `pixels.length` images are written. */
  readonly images: Float32Array;
  /** (size, size, channels) u8 each, as `decodeForPrediction` gives them. */
  readonly pixels: readonly Uint8Array[];
  readonly channels: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Normalise decoded images into a program's input: (x / 255 - mean) / std, plain order. */
export function fillPredictions(_options: FillPredictionsOptions): void {
  throw new InternalError("fillPredictions is not reachable yet");
}
