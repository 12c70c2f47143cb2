/**
 * @file A checkpoint whose values are read a part at a time, while it is written: weights and state of hundreds of
 * megabytes are then held nowhere whole.
 */

import { WeightsError } from "../core/errors.ts";
import { elementCount, type Shape } from "../core/shapes.ts";
import {
  bytesOf,
  type Checkpoint,
  dtypeOf,
  safetensorsHead,
  type TensorData,
  type WrittenDType,
} from "./safetensors.ts";

export interface TensorInParts {
  readonly shape: Shape;
  readonly dtype: WrittenDType;
  /** All values in plain, row-major order. A part is the reader's until the next is asked for. */
  parts(): Iterable<TensorData> | AsyncIterable<TensorData>;
}

/** As a Checkpoint, for whoever reads its tensors once or twice and keeps none. */
export interface CheckpointInParts {
  readonly tensors: ReadonlyMap<string, TensorInParts>;
  readonly metadata: Checkpoint["metadata"];
}

/** What is in memory, as if it were not. */
export const inParts = ({ tensors, metadata }: Checkpoint): CheckpointInParts => ({
  tensors: new Map(
    [...tensors].map(([name, { shape, data }]) => [
      name,
      { shape, dtype: dtypeOf(data), parts: () => [data] },
    ]),
  ),
  metadata,
});

/**
 * The bytes that encodeSafetensors would give. A piece is the reader's until the next is asked for.
 * @throws WeightsError as encodeSafetensors
 */
export async function* safetensorsInParts({
  tensors,
  metadata,
}: CheckpointInParts): AsyncGenerator<Uint8Array> {
  const described = [...tensors].map(([name, { shape, dtype, parts }]) => ({
    ...{ name, shape, dtype, parts },
    length: elementCount(shape),
  }));
  const { head, order } = safetensorsHead(described, metadata);
  yield head;
  for (const { name, length, parts } of order) {
    let read = 0;
    for await (const data of parts()) {
      yield bytesOf(data);
      read += data.length;
    }
    if (read !== length)
      throw new WeightsError(`safetensors: "${name}" must have ${length} values; got ${read}`);
  }
}
