/** @file Elementwise sum of two tensors of one shape: residual connections, and gradients at a fan-out. */

import { elementCount, formatShape, sameShape } from "../core/shapes.ts";
import { defineOp } from "../ir/index.ts";

/** Any shape: a and b alike. da = dy, db = dy: nothing is computed. */
export const add = defineOp<"a" | "b", "y">({
  name: "add",
  inputs: ["a", "b"],
  outputs: ["y"],
  inPlace: [
    ["a", "y"],
    ["b", "y"],
  ],
  infer({ a, b }, { fail }) {
    if (!sameShape(a, b))
      fail(`expects two tensors of one shape; they are ${formatShape(a)} and ${formatShape(b)}`);
    return { y: a };
  },
  flops: ({ y }) => elementCount(y),
  saves: [],
  backward: ({ gradients: { y: dy } }) => ({ a: dy, b: dy }),
});
