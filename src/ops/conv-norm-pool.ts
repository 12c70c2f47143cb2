/**
 * @file Convolution, batch normalisation, ReLU and 2x2 max pooling as one op, for a first block, whose input
 * needs no gradient: the convolution's output is never stored, nor its derivative. Formulas: conv2d.ts,
 * batch-norm.ts, relu.ts, max-pool2d.ts.
 */

import { elementCount, type Shape } from "../core/shapes.ts";
import { defineFusedOp } from "../ir/index.ts";

/** Of a convolution of stride 1 whose output is pooled by two in both directions, both ways alike. */
const convolutionFlops = (pooled: Shape, weight: Shape) =>
  8 * elementCount(pooled) * elementCount(weight.slice(1));

/**
 * y = maxPool(relu(batchNorm(conv2d(x)))), with `relu` or without. The workspace holds what the derivative
 * needs of x's moments, and the place of each maximum, or that ReLU let nothing pass; training only.
 */
export const conv2dNormPoolTrain = defineFusedOp({
  name: "conv2dNormPoolTrain",
  inputs: ["x", "weight", "gamma", "beta", "runningMean", "runningVariance", "bias?"],
  outputs: ["y", "mean", "variance", "workspace?"],
  flops: ({ y, weight }) => convolutionFlops(y, weight) + 36 * elementCount(y),
});

/** Derivatives of everything but x; that of the bias is 0, as a normalised value does not depend on it. */
export const conv2dNormPoolBackward = defineFusedOp({
  name: "conv2dNormPoolBackward",
  inputs: ["x", "weight", "dy", "gamma", "variance", "workspace"],
  outputs: ["dweight", "dgamma", "dbeta", "dbias?"],
  fullPrecision: "results",
  flops: ({ dy, weight }) => convolutionFlops(dy, weight),
});
