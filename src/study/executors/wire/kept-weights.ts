/** @file The weights of a trial as they lie in the run directory, and as a worker sends and fetches them. */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Checkpoint, decodeSafetensors } from "../../../formats/index.ts";
import type { RunDirectory } from "../../../store/index.ts";
import { Refusal } from "./refusal.ts";

export const BEST = "best.safetensors";

/** Of the newest checkpoint, after so many epochs. */
export const checkpointFile = (
  directory: RunDirectory,
  { slug, seed }: { slug: string; seed: number },
  epoch: number,
): string =>
  join(directory.checkpoints(slug, seed), `epoch-${String(epoch).padStart(6, "0")}.safetensors`);

/** As a worker is told of it: its size, and by what it is checked. */
export const describeFile = (file: string) => {
  const bytes = readFileSync(file);
  return { bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
};

/** @throws Refusal where it is no file of weights */
export function decoded(weights: Uint8Array, key: string): Checkpoint {
  try {
    return decodeSafetensors(weights, `weights of ${key}`);
  } catch (error) {
    throw new Refusal("malformed", (error as Error).message);
  }
}
