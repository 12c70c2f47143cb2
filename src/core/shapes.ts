/** @file Shapes as plain arrays of extents, logical order (B, C, H, W) whatever the memory layout. */

export type Shape = readonly number[];

/** Number of elements. */
export const elementCount = (shape: Shape) =>
  shape.reduce((product, extent) => product * extent, 1);

export const sameShape = (a: Shape, b: Shape) =>
  a.length === b.length && a.every((extent, i) => extent === b[i]);

/** "[64, 3, 128, 128]", as error messages print it. */
export const formatShape = (shape: Shape) => `[${shape.join(", ")}]`;
