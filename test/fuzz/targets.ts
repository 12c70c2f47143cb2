/** @file The targets of native/fuzz/, built, and the inputs that each is given. */

import { randomStream } from "../../src/core/random.ts";
import { imageSeeds } from "./image-seeds.ts";
import { mutate } from "./mutate.ts";
import { fuzzTarget } from "./native-target.ts";
import type { FuzzOptions, FuzzSummary } from "./report.ts";

/** Names of native/fuzz/NAME.cc. */
export const TARGETS = ["decode_jpeg", "decode_exif", "decode_resample", "cache"] as const;
export type TargetName = (typeof TARGETS)[number];

export interface NativeFuzzOptions extends FuzzOptions {
  readonly target: TargetName;
  /** Folder of the built targets. */
  readonly built: string;
  /** Folder in which inputs that end a target are kept. */
  readonly findings: string;
  /** JPEG files to begin from, beside the project's own. */
  readonly more?: readonly Buffer[];
}

/** Runs one target; the inputs of a seed are the same each time. */
export async function fuzzNative(options: NativeFuzzOptions): Promise<FuzzSummary> {
  const { target, built, seed, more = [] } = options;
  const jpegs = [...(await imageSeeds("jpeg")), ...more];
  return fuzzTarget({
    ...options,
    name: target,
    binary: `${built}/${target}`,
    input: (index) => inputOf(target, seed, index, jpegs),
  });
}

function inputOf(target: TargetName, seed: number, index: number, jpegs: Buffer[]): Buffer {
  switch (target) {
    case "decode_jpeg": {
      // Every second file is whole, as a data set's are: a decoder's state needs good files to show.
      if (index % 2 === 0) return mutate({ seed, index, files: jpegs });
      const files = jpegs.length;
      return jpegs[randomStream(seed, "bootstrap", index).below(files)]!;
    }
    case "decode_exif":
      return mutate({ seed, index, files: index % 2 === 0 ? exifContents : jpegs });
    case "decode_resample":
      return noise(seed, index, 64);
    case "cache":
      return index % 2 === 0 ? cacheInput(seed, index) : noise(seed, index, 4096);
    default:
      return target satisfies never;
  }
}

/** Up to `most` random bytes. */
function noise(seed: number, index: number, most: number): Buffer {
  const random = randomStream(seed, "bootstrap", index);
  return Buffer.from(Array.from({ length: random.below(most + 1) }, () => random.below(256)));
}

/** Contents of EXIF segments with an orientation, in both byte orders. */
const exifContents = [true, false].map((little) => {
  const bytes = Buffer.alloc(8 + 2 + 3 * 12 + 4);
  bytes.write(little ? "II" : "MM", 0, "latin1");
  const put = (at: number, value: number, width: 2 | 4) =>
    little ? bytes.writeUIntLE(value, at, width) : bytes.writeUIntBE(value, at, width);
  put(2, 42, 2);
  put(4, 8, 4);
  put(8, 3, 2);
  for (const [i, tag] of [0x010f, 0x0112, 0x011a].entries()) {
    const at = 10 + 12 * i;
    put(at, tag, 2);
    put(at + 2, 3, 2);
    put(at + 4, 1, 4);
    put(at + 8, 6, 2);
  }
  return bytes;
});

/** A header of cache.cc's target that fits the bytes behind it, exactly or by one too few or many. */
function cacheInput(seed: number, index: number): Buffer {
  const random = randomStream(seed, "bootstrap", index);
  const [count, side, channels] = [random.below(6), 1 + random.below(24), random.below(2) * 2 + 1];
  const offset = random.below(8192);
  const header = Buffer.alloc(14);
  header.writeUInt8(1, 0);
  header.writeUInt16BE(offset, 1);
  header.writeUInt8(1, 3);
  header.writeUInt8(count, 4);
  header.writeUInt16BE(side - 1, 5);
  header.writeUInt8(1, 7);
  header.writeUInt8(channels === 3 ? 1 : 0, 8);
  header.writeUInt32BE(random.word(), 9);
  const length = offset + count * side * side * channels + random.below(3);
  const value = random.below(256);
  return Buffer.concat([header.subarray(0, 13), Buffer.alloc(length, value)]);
}
