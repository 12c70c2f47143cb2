/** @file ReLU6: y = min(max(x, 0), 6). Source: Howard et al., "MobileNets", 2017; PyTorch's nn.ReLU6. */

import { elementCount } from "../core/shapes.ts";
import { defineGradientOp, defineOp } from "../ir/index.ts";

/** dx = dy where 0 < y < 6, else 0 (so the derivative at x = 0 and x = 6 is 0, as in PyTorch) */
export const relu6Backward = defineGradientOp({
  name: "relu6Backward",
  inputs: ["y", "dy"],
  outputs: ["dx"],
  inPlace: [["dy", "dx"]],
  flops: ({ dy }) => elementCount(dy),
});

/** Any shape; y has x's. It saves its output rather than its input, so that it can run in place. */
export const relu6 = defineOp<"x", "y">({
  name: "relu6",
  inputs: ["x"],
  outputs: ["y"],
  inPlace: [["x", "y"]],
  infer: ({ x }) => ({ y: x }),
  flops: ({ x }) => 2 * elementCount(x),
  saves: ["y"],
  backward: ({ saved: { y }, gradients: { y: dy }, emit }) => ({
    x: emit(relu6Backward, { y, dy }, { dx: y.shape }).dx,
  }),
});
