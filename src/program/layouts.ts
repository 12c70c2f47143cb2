/** @file Arithmetic of memory layouts: padded sizes and bytes. The letters are explained in types.ts. */

import { InternalError } from "../core/errors.ts";
import { elementCount, type Shape } from "../core/shapes.ts";
import type { DType, Layout } from "./types.ts";

const DTYPE_BYTES: Record<DType, number> = { f32: 4, bf16: 2, i32: 4, u8: 1 };

/** The plain, row-major layout of a rank: "a", "ab", "abc", "abcd". */
export const plainLayout = (rank: number): Layout => "abcd".slice(0, rank);

/** Extents after padding each blocked dimension to a multiple of its block. */
export function paddedShape(layout: Layout, shape: Shape): number[] {
  const [, letters = "", blocks = ""] = /^([a-dA-D]+?)((?:\d+[a-d])*)$/.exec(layout) ?? [];
  if (letters === "" || letters.length !== shape.length)
    throw new InternalError(`layout "${layout}" does not fit a tensor of rank ${shape.length}`);
  const sizes = new Map<string, number>();
  for (const [, size, letter = ""] of blocks.matchAll(/(\d+)([a-d])/g))
    sizes.set(letter, (sizes.get(letter) ?? 1) * Number(size));
  return shape.map((extent, i) => {
    const block = sizes.get("abcd".charAt(i)) ?? 1;
    return Math.ceil(extent / block) * block;
  });
}

/** Bytes of a tensor in a layout, padding included. */
export const layoutBytes = (layout: Layout, shape: Shape, dtype: DType): number =>
  elementCount(paddedShape(layout, shape)) * DTYPE_BYTES[dtype];
