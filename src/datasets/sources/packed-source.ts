/** @file Sources whose images lie uncompressed and equal in size in a few blocks of memory. */

import { createHash } from "node:crypto";
import {
  type DecodedChunk,
  type DecodeSettings,
  type Source,
  throwIfInterrupted,
} from "../../data/source.ts";
import type { AugmentationName } from "../../data/types.ts";
import { loadAddon, type PackedImages } from "../../engine/native/addon/index.ts";

/** A block: `labels.length` images of one part. */
export interface PackedBlock {
  readonly data: Uint8Array;
  readonly shape: PackedImages;
  readonly labels: Uint8Array;
  /** TRAIN or VALIDATION. */
  readonly part: number;
}

export interface PackedSourceOptions {
  readonly name: string;
  readonly classes: readonly string[];
  readonly channels: 1 | 3;
  readonly augmentation: AugmentationName;
  readonly defaultSize: number;
  readonly blocks: readonly PackedBlock[];
  /** Whether the blocks' parts are to be used as given. */
  readonly given: boolean;
}

/** Items are numbered through the blocks in their order. */
export function packedSource(options: PackedSourceOptions): Source {
  const { blocks, given, ...described } = options;
  return {
    ...described,
    labels: Int32Array.from(blocks.flatMap(({ labels }) => Array.from(labels))),
    parts: given
      ? Uint8Array.from(blocks.flatMap(({ labels, part }) => Array.from(labels, () => part)))
      : null,
    async fingerprint(items) {
      const hash = createHash("sha256");
      for (const { data, labels } of blocks) hash.update(data).update(labels);
      return hash
        .update(new Uint8Array(items.buffer, items.byteOffset, items.byteLength))
        .digest("hex");
    },
    decode: (items, settings) => decodeBlocks(blocks, described.channels, items, settings),
  };
}

const chunkLength = 1024;

async function* decodeBlocks(
  blocks: readonly PackedBlock[],
  channels: number,
  items: Int32Array,
  { size, threads, signal }: DecodeSettings,
): AsyncGenerator<DecodedChunk> {
  const pixels = new Uint8Array(Math.min(chunkLength, items.length) * size * size * channels);
  let base = 0;
  let done = 0;
  for (const { data, shape, labels } of blocks) {
    const inBlock = items.filter((item) => item >= base && item < base + labels.length);
    for (let first = 0; first < inBlock.length; first += chunkLength) {
      throwIfInterrupted(signal);
      const numbers = inBlock.slice(first, first + chunkLength).map((item) => item - base);
      await loadAddon().packImages(data, shape, numbers, pixels, { size, channels, threads });
      done += numbers.length;
      yield {
        pixels: pixels.subarray(0, numbers.length * size * size * channels),
        broken: [],
        done,
      };
    }
    base += labels.length;
  }
}
