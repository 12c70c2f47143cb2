/** @file Small coloured shapes from random numbers alone: for tests, and to try things offline. */

import { createHash } from "node:crypto";
import {
  type DecodedChunk,
  type DecodeSettings,
  type Source,
  throwIfInterrupted,
} from "../../data/source.ts";
import { loadAddon } from "../../engine/native/addon/index.ts";

const classes = ["disc", "square", "ring", "bars"] as const;
const imagesPerClass = 64;
/** Of the images, not of a trial: everyone sees the same ones. */
const seed = 0;

/** Four classes of 64 images, 32 x 32 unless another size is asked for; drawn natively. */
export function syntheticSource(): Source {
  const labels = Int32Array.from(
    { length: classes.length * imagesPerClass },
    (_, i) => i % classes.length,
  );
  return {
    name: "synthetic",
    classes,
    channels: 3,
    defaultSize: 32,
    augmentation: "photos",
    labels,
    parts: null,
    async fingerprint(items) {
      return createHash("sha256")
        .update(`synthetic 1 ${items.join(" ")}`)
        .digest("hex");
    },
    decode: (items, settings) => draw(items, labels, settings),
  };
}

async function* draw(
  items: Int32Array,
  labels: Int32Array,
  { size, signal }: DecodeSettings,
): AsyncGenerator<DecodedChunk> {
  const pixels = new Uint8Array(size * size * 3);
  for (const [i, item] of items.entries()) {
    throwIfInterrupted(signal);
    loadAddon().synthesiseImages(pixels, labels.subarray(item, item + 1), {
      size,
      first: item,
      seed,
    });
    yield { pixels, broken: [], done: i + 1 };
  }
}
