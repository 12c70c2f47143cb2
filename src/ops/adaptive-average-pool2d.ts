/**
 * @file The mean of each of a fixed number of windows. The window of output i of n, of an extent H, is
 * floor(i H / n) to ceil((i + 1) H / n), as in PyTorch: windows may overlap, and of a smaller extent
 * repeat.
 */

import { elementCount, formatShape, isShape4 } from "../core/shapes.ts";
import { defineGradientOp, defineOp } from "../ir/index.ts";

type AdaptiveAveragePool2dAttributes = {
  /** [h, w] of the output */
  readonly outputSize: readonly [number, number];
};

/** dx[b,c,h,w] = sum of dy[b,c,i,j] / |window (i,j)| over the windows that hold (h,w) */
export const adaptiveAveragePool2dBackward = defineGradientOp({
  name: "adaptiveAveragePool2dBackward",
  inputs: ["dy"],
  outputs: ["dx"],
  flops: ({ dx }) => elementCount(dx),
});

/** Shapes: x (B,C,H,W) -> y (B,C,...outputSize). */
export const adaptiveAveragePool2d = defineOp<"x", "y", AdaptiveAveragePool2dAttributes>({
  name: "adaptiveAveragePool2d",
  inputs: ["x"],
  outputs: ["y"],
  infer({ x }, { attributes: { outputSize }, fail }) {
    if (!isShape4(x)) return fail(`expects x (B,C,H,W); x is ${formatShape(x)}`);
    const [B, C] = x;
    return { y: [B, C, ...outputSize] };
  },
  flops: ({ x }) => elementCount(x),
  saves: [],
  backward: ({ shapes, gradients: { y: dy }, attributes, emit }) => ({
    x: emit(adaptiveAveragePool2dBackward, { dy }, { dx: shapes.x }, attributes).dx,
  }),
});
