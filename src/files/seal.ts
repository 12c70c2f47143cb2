/**
 * @file A checksum of weights that stand alone, in their own metadata: it goes wherever the file goes.
 * Checkpoints of trials under way have theirs beside them (store/checkpoints.ts).
 */

import { createHash } from "node:crypto";
import { WeightsError } from "../core/errors.ts";
import type { Checkpoint } from "../formats/index.ts";

const KEY = "checksum";

/** The same, with a checksum of all that is in it. */
export const sealed = (checkpoint: Checkpoint): Checkpoint => ({
  tensors: checkpoint.tensors,
  metadata: { ...checkpoint.metadata, [KEY]: digestOf(checkpoint) },
});

/**
 * Files of lrscope 0.1 have no checksum, and pass.
 * @throws WeightsError where any bit is not what was written
 */
export function checkSeal(checkpoint: Checkpoint, file: string): void {
  const wanted = checkpoint.metadata[KEY];
  if (wanted === undefined || wanted === digestOf(checkpoint)) return;
  throw new WeightsError(
    `checkpoint ${file}: its content does not match its checksum: it was changed, or the disk is failing. Copy it again from where it came; in a run directory take last.safetensors or best.safetensors, whichever of the two is whole, or train again`,
  );
}

/** SHA-256 of tensors and metadata by name, whatever their order in the file; but for the checksum itself. */
function digestOf({ tensors, metadata }: Checkpoint): string {
  const hash = createHash("sha256");
  const byName = <T>(entries: Iterable<readonly [string, T]>) =>
    [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
  const texts = byName(Object.entries(metadata)).filter(([key]) => key !== KEY);
  hash.update(JSON.stringify(texts));
  for (const [name, { shape, data }] of byName(tensors)) {
    hash.update(JSON.stringify([name, data.constructor.name, shape]));
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest("hex");
}
