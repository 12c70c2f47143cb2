/** @file Decoding for prediction: arbitrary files, treated as the training images were. */

import { availableParallelism } from "node:os";
import { at } from "../core/at.ts";
import { checkPositiveInteger } from "../core/checks.ts";
import { ArgumentError, InternalError } from "../core/errors.ts";
import { MOST_THREADS } from "../core/limits.ts";
import type { DecodeSettings } from "../data/source.ts";
import type { DecodeForPrediction } from "../data/types.ts";
import { loadAddon } from "../engine/native/addon/index.ts";
import { openDecoder } from "./decoding/isolated-decoder.ts";
import type { ListedImage } from "./list-images.ts";

export interface PredictionDecoderOptions {
  /** Files of one call at most. */
  readonly capacity: number;
  /** Default all cores. */
  readonly threads?: number;
  readonly signal?: AbortSignal | undefined;
}

/** (size, size, channels) u8, or null with a reason. */
type DecodedImage = Pick<Awaited<ReturnType<DecodeForPrediction>>[number], "pixels" | "reason">;

/** Decodes files exactly as the data set that some preprocessing comes from. */
export interface PredictionDecoder {
  /**
   * `pixels` is (size, size, channels) u8, or null with a `reason` for a file that cannot be used. Up to
   * two calls may be under way.
   * @throws InterruptedError once the signal has fired
   */
  decode(files: readonly string[]): ReturnType<DecodeForPrediction>;
  /** The same of images that may be a source's own: one answer an image, in their order. */
  decodeListed(images: readonly ListedImage[]): Promise<DecodedImage[]>;
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
  const decode = async (files: readonly string[]) => {
    const { pixels, failures } = await decoder.decode(files);
    return files.map((file, i) => {
      const reason = failures[i]?.reason ?? null;
      // The decoder writes the next files' pixels to the same place.
      const own = reason === null ? pixels.slice(i * bytes, (i + 1) * bytes) : null;
      return { file, pixels: own, reason };
    });
  };
  return {
    decode,
    async decodeListed(images) {
      const paths = images.flatMap(({ path }) => (path === undefined ? [] : [path]));
      const decoded = paths.length > 0 ? await decode(paths) : [];
      let file = 0;
      const all: DecodedImage[] = [];
      for (const image of images)
        all.push(
          image.path === undefined
            ? { pixels: await itemPixels(image, { size, channels, threads, signal }), reason: null }
            : at(decoded, file++, "decoded"),
        );
      return all;
    },
    close: decoder.close,
  };
}

/** An item of a source, in the channels of the network. */
async function itemPixels(
  { source, item }: Extract<ListedImage, { readonly item: number }>,
  { size, channels, threads, signal }: DecodeSettings & { readonly channels: 1 | 3 },
): Promise<Uint8Array> {
  for await (const { pixels } of source.decode(Int32Array.of(item), { size, threads, signal })) {
    if (source.channels === channels) return pixels.slice(0, size * size * channels);
    const target = new Uint8Array(size * size * channels);
    const shape = { width: size, height: size, channels: source.channels };
    await loadAddon().resampleImage(pixels, shape, target, { size, channels });
    return target;
  }
  throw new InternalError(`${source.name}: item ${item} was not decoded`);
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
