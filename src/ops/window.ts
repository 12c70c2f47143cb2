/** @file The arithmetic that convolution and pooling share: a window that slides over the image. */

import { formatShape } from "../core/shapes.ts";

/** A type, not an interface, so that it is also a record of attributes. */
export type WindowAttributes = {
  /** [h, w] */
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
};

/**
 * Height and width of the output: floor((size + padding before and after - kernel) / stride) + 1.
 * `fail` is called where the window does not fit the padded image even once.
 */
export function windowOutput(
  image: readonly [number, number],
  {
    kernel,
    stride,
    padding,
    paddingAfter = padding,
  }: WindowAttributes & { readonly paddingAfter?: readonly [number, number] },
  fail: (rule: string) => never,
): [number, number] {
  const along = (axis: 0 | 1) =>
    Math.floor((image[axis] + padding[axis] + paddingAfter[axis] - kernel[axis]) / stride[axis]) +
    1;
  const [height, width] = [along(0), along(1)];
  if (height < 1 || width < 1)
    fail(
      `a window of ${formatShape(kernel)} does not fit an image of ${formatShape(image)} with padding ${formatShape(padding)}; use larger images or fewer poolings`,
    );
  return [height, width];
}
