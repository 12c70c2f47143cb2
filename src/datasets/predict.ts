/** @file Decoding for prediction: arbitrary files, treated as the training images were. */

import { availableParallelism } from "node:os";
import { checkPositiveInteger } from "../core/checks.ts";
import { ArgumentError } from "../core/errors.ts";
import { MOST_THREADS } from "../core/limits.ts";
import type { DecodeForPrediction } from "../data/types.ts";
import { openDecoder } from "./decoding/isolated-decoder.ts";

export interface PredictionDecoderOptions {
  /** Files of one call at most. */
  readonly capacity: number;
  /** Default all cores. */
  readonly threads?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Decodes files exactly as the data set that some preprocessing comes from. */
export interface PredictionDecoder {
  /**
   * `pixels` is (size, size, channels) u8, or null with a `reason` for a file that cannot be used. Up to
   * two calls may be under way.
   * @throws InterruptedError once the signal has fired
   */
  decode(files: readonly string[]): ReturnType<DecodeForPrediction>;
  /** Ends its process. */
  close(): void;
}

/**
 * One process for many calls; see `openDataset` for its limits. The caller closes it.
 * @throws ArgumentError for preprocessing of another kind than this version knows
 */
export function openPredictionDecoder(
  preprocessing: Parameters<DecodeForPrediction>[1],
  options: PredictionDecoderOptions,
): PredictionDecoder {
  const { resize = "cover", filter = "triangle" } = preprocessing;
  const size = Number(preprocessing.size);
  const channels = Number(preprocessing.channels);
  checkPositiveInteger("preprocessing", "size", size);
  if ((channels !== 1 && channels !== 3) || resize !== "cover" || filter !== "triangle")
    throw new ArgumentError(
      `preprocessing: cover, triangle and 1 or 3 channels are known; got ${resize}, ${filter} and ${preprocessing.channels}`,
    );
  const bytes = size * size * channels;
  const { capacity, threads = Math.min(availableParallelism(), MOST_THREADS), signal } = options;
  const decoder = openDecoder({ size, channels, threads, capacity, signal });
  return {
    async decode(files) {
      const { pixels, failures } = await decoder.decode(files);
      return files.map((file, i) => {
        const reason = failures[i]?.reason ?? null;
        // The decoder writes the next files' pixels to the same place.
        const own = reason === null ? pixels.slice(i * bytes, (i + 1) * bytes) : null;
        return { file, pixels: own, reason };
      });
    },
    close: decoder.close,
  };
}

/**
 * Decode files exactly as the data set that `preprocessing` comes from.
 * `pixels` is (size, size, channels) u8, or null with a `reason` for a file that cannot be used.
 * @throws ArgumentError for preprocessing of another kind than this version knows
 */
export const decodeForPrediction: DecodeForPrediction = async (files, preprocessing) => {
  const capacity = Math.min(64, Math.max(1, files.length));
  const decoder = openPredictionDecoder(preprocessing, { capacity });
  try {
    const decoded = [];
    for (let first = 0; first < files.length; first += capacity)
      decoded.push(...(await decoder.decode(files.slice(first, first + capacity))));
    return decoded;
  } finally {
    decoder.close();
  }
};
