/** @file The fully connected layer: y = x weightᵀ + bias. */

import { elementCount, formatShape, isShape2 } from "../core/shapes.ts";
import { defineGradientOp, defineOp } from "../ir/index.ts";

/** dx = dy weight: (B,O)·(O,I) -> (B,I) */
export const linearBackwardData = defineGradientOp({
  name: "linearBackwardData",
  inputs: ["dy", "weight"],
  outputs: ["dx"],
  flops: ({ dx, dy }) => 2 * elementCount(dx) * elementCount(dy.slice(1)),
});

/** dweight = dyᵀ x: (O,B)·(B,I) -> (O,I);  dbias = sum of dy over B */
export const linearBackwardWeights = defineGradientOp({
  name: "linearBackwardWeights",
  inputs: ["x", "dy"],
  outputs: ["dweight", "dbias?"],
  fullPrecision: "results",
  flops: ({ x, dy }) => 2 * elementCount(x) * elementCount(dy.slice(1)),
});

/** Shapes: x (B,I), weight (O,I), bias (O) -> y (B,O). */
export const linear = defineOp<"x" | "weight" | "bias?", "y">({
  name: "linear",
  inputs: ["x", "weight", "bias?"],
  outputs: ["y"],
  infer({ x, weight, bias }, { fail }) {
    if (!isShape2(x))
      return fail(`expects x (B,I); x is ${formatShape(x)}: put a flatten before it`);
    const [B, I] = x;
    if (!isShape2(weight) || weight[1] !== I)
      return fail(
        `expects weight [O, ${I}] to match x ${formatShape(x)}; weight is ${formatShape(weight)}`,
      );
    const [O] = weight;
    if (bias && (bias.length !== 1 || bias[0] !== O))
      fail(
        `expects bias [${O}] to match weight ${formatShape(weight)}; bias is ${formatShape(bias)}`,
      );
    return { y: [B, O] };
  },
  flops: ({ x, weight }) => 2 * elementCount(x.slice(0, 1)) * elementCount(weight),
  saves: ["x", "weight"],
  backward({ saved: { x, weight }, shapes, gradients: { y: dy }, wants, emit }) {
    const ofWeights =
      wants("weight") || wants("bias")
        ? emit(
            linearBackwardWeights,
            { x, dy },
            {
              dweight: weight.shape,
              ...(shapes.bias && { dbias: shapes.bias }),
            },
          )
        : undefined;
    const ofData = wants("x")
      ? emit(linearBackwardData, { dy, weight }, { dx: x.shape })
      : undefined;
    return { weight: ofWeights?.dweight, bias: ofWeights?.dbias, x: ofData?.dx };
  },
});
