/** @file What `npm run fuzz` runs: every reader of foreign bytes, by name. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fuzzImages } from "./images.ts";
import { fuzzCacheFiles, fuzzPacked } from "./readers.ts";
import type { FuzzOptions, FuzzSummary } from "./report.ts";
import { fuzzNative, TARGETS } from "./targets.ts";
import { fuzzWeights } from "./weights.ts";

export interface Place {
  /** Folder of the targets that scripts/build-fuzz has built. */
  readonly built: string;
  /** Folder for inputs that ended a target. */
  readonly findings: string;
  /** A folder of folders of JPEGs to begin from, beside the project's own seeds. */
  readonly photos?: string | undefined;
}

export interface Part {
  readonly name: string;
  /** Cases of one run; some seconds' worth. */
  readonly slice: number;
  /** Whether it is to run in a process of its own with the sanitized addon. */
  readonly sanitized: boolean;
  run(options: FuzzOptions): Promise<FuzzSummary>;
}

/** Larger files cost time and find no more. */
const MOST_PHOTO_BYTES = 40_000;

function photosOf(folder: string | undefined): Buffer[] {
  if (folder === undefined) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.jpe?g$/i.test(name))
    .sort()
    .filter((_, i) => i % 20 === 0)
    .map((name) => readFileSync(join(folder, name)))
    .filter((bytes) => bytes.length <= MOST_PHOTO_BYTES)
    .slice(0, 50);
}

/** In the order in which they run. */
export function fuzzParts(place: Place): Part[] {
  const more = photosOf(place.photos);
  const slices = {
    decode_jpeg: 5000,
    decode_exif: 100_000,
    decode_resample: 10_000,
    cache: 10_000,
  } as const satisfies Record<(typeof TARGETS)[number], number>;
  return [
    ...TARGETS.map(
      (target): Part => ({
        name: target,
        slice: slices[target],
        sanitized: false,
        run: (options) => fuzzNative({ ...options, ...place, target, more }),
      }),
    ),
    { name: "images", slice: 3000, sanitized: false, run: fuzzImages },
    { name: "packed", slice: 1000, sanitized: true, run: fuzzPacked },
    { name: "cache-files", slice: 500, sanitized: true, run: fuzzCacheFiles },
    { name: "weights", slice: 3000, sanitized: false, run: fuzzWeights },
  ];
}
