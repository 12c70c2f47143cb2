/** @file What is asked of a batch before anything is written into it. */

import { ArgumentError } from "../core/errors.ts";
import { formatShape } from "../core/shapes.ts";
import { checkApart, checkTypedArray } from "../core/typed-arrays.ts";
import type { FillOptions } from "./types.ts";

export interface BatchOf {
  /** Of the data set, for messages. */
  readonly name: string;
  /** Images that there are. */
  readonly count: number;
  readonly channels: number;
  readonly size: number;
}

/** @throws ArgumentError for an image that is not there */
export function checkImage({ name, count }: Pick<BatchOf, "name" | "count">, index: number): void {
  if (!Number.isInteger(index) || index < 0 || index >= count)
    throw new ArgumentError(`${name}: there is no image ${index}; there are ${count}`);
}

/** @throws ArgumentError for an array of another type, too short, without memory, or overlapping */
export function checkBatch(of: BatchOf, { images, labels, indices }: FillOptions): void {
  const { name, channels, size } = of;
  checkTypedArray(name, "images", "Float32Array", images);
  checkTypedArray(name, "labels", "Int32Array", labels);
  checkTypedArray(name, "indices", "Int32Array", indices);
  checkApart(name, ["images", "labels"], [images, labels]);
  for (const index of indices) checkImage(of, index);
  const needed = [indices.length, channels, size, size];
  if (images.length < indices.length * channels * size * size || labels.length < indices.length)
    throw new ArgumentError(
      `${name}: a batch of ${formatShape(needed)} does not fit ${images.length} values and ${labels.length} labels`,
    );
}
