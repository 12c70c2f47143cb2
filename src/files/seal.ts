/**
 * @file A checksum of weights that stand alone, in their own metadata: it goes wherever the file goes.
 * Checkpoints of trials under way have theirs beside them (store/checkpoints.ts).
 */

import { createHash } from "node:crypto";
import { WeightsError } from "../core/errors.ts";
import {
  type ByteSource,
  type Checkpoint,
  type CheckpointInParts,
  safetensorsLayout,
  type TensorData,
  tensorPieces,
} from "../formats/index.ts";

const KEY = "checksum";

/** The same, with a checksum of all that is in it. */
export const sealed = (checkpoint: Checkpoint): Checkpoint => ({
  tensors: checkpoint.tensors,
  metadata: { ...checkpoint.metadata, [KEY]: digestOf(checkpoint) },
});

/** The same of weights that are read a part at a time; they are read once for it. */
export async function sealedInParts(checkpoint: CheckpointInParts): Promise<CheckpointInParts> {
  const { tensors, metadata } = checkpoint;
  const digest = digestFrom(metadata);
  for (const [name, { shape, parts }] of [...tensors].sort(byName)) {
    const add = digest.tensor(name, shape);
    for await (const data of parts()) add(data);
  }
  return { tensors, metadata: { ...metadata, [KEY]: digest.end() } };
}

/**
 * Files of lrscope 0.1 have no checksum, and pass.
 * @throws WeightsError where any bit is not what was written
 */
export function checkSeal(checkpoint: Checkpoint, file: string): void {
  if (isAsSealed(checkpoint.metadata, () => digestOf(checkpoint))) return;
  throw new WeightsError(
    `checkpoint ${file}: its content does not match its checksum: it was changed, or the disk is failing. Copy it again from where it came; in a run directory take last.safetensors or best.safetensors, whichever of the two is whole, or train again`,
  );
}

/**
 * The same of a file, of which a piece at a time is read.
 * @returns its metadata
 * @throws WeightsError as checkSeal, and where it is no file of weights
 */
export function checkSealOf(source: ByteSource): Checkpoint["metadata"] {
  const { metadata, tensors } = safetensorsLayout(source);
  const digest = () =>
    digestOfPieces(
      metadata,
      tensors.map((placed) => ({ ...placed, pieces: tensorPieces(source, placed) })),
    );
  if (!isAsSealed(metadata, digest))
    throw new WeightsError(
      `${source.name}: its content does not match its checksum: it was changed on its way, or the disk is failing; send or write it again`,
    );
  return metadata;
}

function isAsSealed(metadata: Checkpoint["metadata"], digest: () => string): boolean {
  const wanted = metadata[KEY];
  return wanted === undefined || wanted === digest();
}

const digestOf = ({ tensors, metadata }: Checkpoint): string =>
  digestOfPieces(
    metadata,
    [...tensors].map(([name, { shape, data }]) => ({ name, shape, pieces: [data] })),
  );

interface Pieces {
  readonly name: string;
  readonly shape: readonly number[];
  readonly pieces: Iterable<TensorData>;
}

const byName = ([a]: readonly [string, ...unknown[]], [b]: readonly [string, ...unknown[]]) =>
  a < b ? -1 : 1;

/** SHA-256 of metadata and tensors, but for the checksum itself; tensors are given by name, in order. */
function digestFrom(metadata: Checkpoint["metadata"]) {
  const hash = createHash("sha256");
  const texts = Object.entries(metadata)
    .filter(([key]) => key !== KEY)
    .sort(byName);
  hash.update(JSON.stringify(texts));
  return {
    /** @returns what takes its values, a piece at a time: one at least */
    tensor(name: string, shape: Pieces["shape"]) {
      let isFirst = true;
      return (data: TensorData): void => {
        if (isFirst) hash.update(JSON.stringify([name, data.constructor.name, shape]));
        isFirst = false;
        hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      };
    },
    end: () => hash.digest("hex"),
  };
}

/** Of tensors in whatever order. */
function digestOfPieces(metadata: Checkpoint["metadata"], tensors: readonly Pieces[]): string {
  const digest = digestFrom(metadata);
  for (const { name, shape, pieces } of [...tensors].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const add = digest.tensor(name, shape);
    for (const data of pieces) add(data);
  }
  return digest.end();
}
