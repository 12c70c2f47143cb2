/** @file Flattening: the same memory, in plain order, under another shape. No instruction is emitted. */

import { elementCount } from "../core/shapes.ts";
import { defineGradientOp, defineOp } from "../ir/index.ts";

/** dx is dy's memory under x's shape */
export const unflatten = defineGradientOp({
  name: "unflatten",
  inputs: ["dy"],
  outputs: ["dx"],
  alias: true,
});

/** Shapes: x (B,...) -> y (B, product of the rest), in the order of PyTorch's flatten(1). */
export const flatten = defineOp<"x", "y">({
  name: "flatten",
  inputs: ["x"],
  outputs: ["y"],
  alias: true,
  infer: ({ x }) => ({ y: [...x.slice(0, 1), elementCount(x.slice(1))] }),
  saves: [],
  backward: ({ shapes, gradients: { y: dy }, emit }) => ({
    x: emit(unflatten, { dy }, { dx: shapes.x }).dx,
  }),
});
