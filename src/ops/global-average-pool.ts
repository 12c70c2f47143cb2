/** @file The mean over height and width of each channel. */

import { elementCount, formatShape } from "../core/shapes.ts";
import { defineGradientOp, defineOp } from "../ir/index.ts";

/** dx[b,c,h,w] = dy[b,c] / (H W) */
export const globalAveragePoolBackward = defineGradientOp({
  name: "globalAveragePoolBackward",
  inputs: ["dy"],
  outputs: ["dx"],
  flops: ({ dx }) => elementCount(dx),
});

/** Shapes: x (B,C,H,W) -> y (B,C). */
export const globalAveragePool = defineOp<"x", "y">({
  name: "globalAveragePool",
  inputs: ["x"],
  outputs: ["y"],
  infer({ x }, { fail }) {
    if (x.length !== 4) fail(`expects x (B,C,H,W); x is ${formatShape(x)}`);
    return { y: x.slice(0, 2) };
  },
  flops: ({ x }) => elementCount(x),
  saves: [],
  backward: ({ shapes, gradients: { y: dy }, emit }) => ({
    x: emit(globalAveragePoolBackward, { dy }, { dx: shapes.x }).dx,
  }),
});
