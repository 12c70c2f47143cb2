/** @file Two-dimensional convolution (cross-correlation, as in PyTorch), any kernel, stride and padding. */

import { elementCount, formatShape, isShape4, type Shape } from "../core/shapes.ts";
import { defineGradientOp, defineOp } from "../ir/index.ts";
import { windowOutput } from "./window.ts";

type Conv2dAttributes = {
  /** [h, w] */
  readonly stride: readonly [number, number];
  /** [h, w], zeros before the first row and column, and after the last where nothing else is said. */
  readonly padding: readonly [number, number];
  /** [h, w], zeros after the last row and column; absent: as many as before. */
  readonly paddingAfter?: readonly [number, number];
  /** Channels fall into so many groups that see nothing of each other; absent: 1. */
  readonly groups?: number;
};

/** A multiplication and an addition for each weight at each place of the output. */
const convolutionFlops = (y: Shape, weight: Shape) =>
  2 * elementCount(y) * elementCount(weight.slice(1));

/** dx[b,c,·] = sum over o and kernel places of dy[b,o,·] · weight[o,c,·], at the places that x fed */
export const conv2dBackwardData = defineGradientOp({
  name: "conv2dBackwardData",
  inputs: ["dy", "weight"],
  outputs: ["dx"],
  flops: ({ dy, weight }) => convolutionFlops(dy, weight),
});

/** dweight[o,c,i,j] = sum over b and places of dy[b,o,·] · x[b,c,· + (i,j)];  dbias[o] = sum of dy[:,o,:,:] */
export const conv2dBackwardWeights = defineGradientOp({
  name: "conv2dBackwardWeights",
  inputs: ["x", "dy"],
  outputs: ["dweight", "dbias?"],
  fullPrecision: "results",
  flops: ({ dy, dweight }) => convolutionFlops(dy, dweight),
});

/**
 * Shapes: x (B,C,H,W), weight (O,C/groups,kh,kw), bias (O) -> y (B,O,H',W'). Output channel o sees the
 * C/groups input channels from floor(o groups / O) C/groups on.
 */
export const conv2d = defineOp<"x" | "weight" | "bias?", "y", Conv2dAttributes>({
  name: "conv2d",
  inputs: ["x", "weight", "bias?"],
  outputs: ["y"],
  infer({ x, weight, bias }, { attributes, fail }) {
    if (!isShape4(x)) return fail(`expects x (B,C,H,W); x is ${formatShape(x)}`);
    if (!isShape4(weight))
      return fail(`expects weight (O,C,kh,kw); weight is ${formatShape(weight)}`);
    const [B, C, H, W] = x;
    const [O, weightC, ...kernel] = weight;
    const { groups = 1 } = attributes;
    if (C % groups !== 0 || O % groups !== 0)
      fail(
        `expects input and output channels that ${groups} groups divide; x is ${formatShape(x)}, weight ${formatShape(weight)}`,
      );
    if (weightC !== C / groups)
      fail(
        `expects ${C / groups} input channels${groups > 1 ? ` in each of ${groups} groups` : ""} to match x ${formatShape(x)}; weight is ${formatShape(weight)}`,
      );
    if (bias && (bias.length !== 1 || bias[0] !== O))
      fail(
        `expects bias [${O}] to match weight ${formatShape(weight)}; bias is ${formatShape(bias)}`,
      );
    return { y: [B, O, ...windowOutput([H, W], { ...attributes, kernel }, fail)] };
  },
  flops: ({ y, weight }) => convolutionFlops(y, weight),
  saves: ["x", "weight"],
  backward({ saved: { x, weight }, shapes, gradients: { y: dy }, attributes, wants, emit }) {
    // The weights' gradient comes first: after it x is no longer needed, and dx may take its place.
    const ofWeights =
      wants("weight") || wants("bias")
        ? emit(
            conv2dBackwardWeights,
            { x, dy },
            { dweight: weight.shape, ...(shapes.bias && { dbias: shapes.bias }) },
            attributes,
          )
        : undefined;
    const ofData = wants("x")
      ? emit(conv2dBackwardData, { dy, weight }, { dx: x.shape }, attributes)
      : undefined;
    return { weight: ofWeights?.dweight, bias: ofWeights?.dbias, x: ofData?.dx };
  },
});
