/** @file ReLU: y = max(x, 0). */

import { elementCount } from "../core/shapes.ts";
import { defineGradientOp, defineOp } from "../ir/index.ts";

/** dx = dy where y > 0, else 0 (so the derivative at x = 0 is 0, as in PyTorch) */
export const reluBackward = defineGradientOp({
  name: "reluBackward",
  inputs: ["y", "dy"],
  outputs: ["dx"],
  inPlace: [["dy", "dx"]],
  flops: ({ dy }) => elementCount(dy),
});

/** Any shape; y has x's. It saves its output rather than its input, so that it can run in place. */
export const relu = defineOp<"x", "y">({
  name: "relu",
  inputs: ["x"],
  outputs: ["y"],
  inPlace: [["x", "y"]],
  infer: ({ x }) => ({ y: x }),
  flops: ({ x }) => elementCount(x),
  saves: ["y"],
  backward: ({ saved: { y }, gradients: { y: dy }, emit }) => ({
    x: emit(reluBackward, { y, dy }, { dx: y.shape }).dx,
  }),
});
