/** @file Shapes as plain arrays of extents, logical order (B, C, H, W) whatever the memory layout. */

export type Shape = readonly number[];

/** Whether it has two extents: (B,I), or an image's (H,W). */
export const isShape2 = (shape: Shape): shape is readonly [number, number] => shape.length === 2;

/** Whether it has four: (B,C,H,W), or a convolution's weight (O,C,kh,kw). */
export const isShape4 = (shape: Shape): shape is readonly [number, number, number, number] =>
  shape.length === 4;

/** Number of elements. */
export const elementCount = (shape: Shape) =>
  shape.reduce((product, extent) => product * extent, 1);

export const sameShape = (a: Shape, b: Shape) =>
  a.length === b.length && a.every((extent, i) => extent === b[i]);

/** "[64, 3, 128, 128]", as error messages print it. */
export const formatShape = (shape: Shape) => `[${shape.join(", ")}]`;
