/** @file Tensors of a session, by name: copied out whole, or a part at a time. */

import type { PersistentTensor } from "../compile/index.ts";
import { elementCount } from "../core/shapes.ts";
import type { TensorInParts } from "../formats/index.ts";
import type { Session } from "../program/index.ts";

export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** One whose values are read out of the engine when they are asked for. */
export interface NamedParts extends TensorInParts {
  readonly name: string;
}

/** A buffer under the name of the tensor that it stands for. */
export type NamedBuffer = Pick<PersistentTensor, "name" | "buffer">;

export async function readTensors(
  session: Session,
  buffers: readonly NamedBuffer[],
): Promise<NamedTensor[]> {
  const found: NamedTensor[] = [];
  for (const { name, buffer } of buffers)
    found.push({ name, shape: buffer.shape, data: await session.read(buffer) });
  return found;
}

/** A part is there until the next one of any of the tensors is asked for. */
export function tensorsInParts(session: Session, buffers: readonly NamedBuffer[]): NamedParts[] {
  const room = new Float32Array(PART);
  return buffers.map(({ name, buffer }) => ({
    ...{ name, shape: buffer.shape, dtype: "F32" },
    async *parts() {
      const count = elementCount(buffer.shape);
      const length = partOf(buffer.shape);
      for (let from = 0; from < count; from += length) {
        const part = room.subarray(0, Math.min(length, count - from));
        await session.readPart(buffer, from, part);
        yield part;
      }
    },
  }));
}

/** Values of a part, at most: 16 MB. */
const PART = 1 << 22;

/** Rows of a tensor that a layout may have together in memory. */
const TOGETHER = 32;

/** Values of a tensor's part: of rows that are short enough so many that lie together. */
function partOf([, ...rest]: readonly number[]): number {
  const rows = TOGETHER * elementCount(rest);
  return rows > PART ? PART : Math.floor(PART / rows) * rows;
}
