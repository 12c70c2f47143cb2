/**
 * @file Batch normalisation, the sum with a residual, and ReLU as one op, which the fusion pass puts
 * in place of the three. Formulas: batch-norm.ts, add.ts, relu.ts.
 */

import { elementCount } from "../core/shapes.ts";
import { defineFusedOp } from "../ir/index.ts";

const OPERANDS = ["x", "gamma", "beta", "runningMean", "runningVariance", "residual"] as const;

/** The result may lie over either: each element is read before it is written, and x's sums are done. */
const IN_PLACE = [
  ["residual", "y"],
  ["x", "y"],
] as const;

/**
 * y = relu(batchNorm(x) + residual), with `relu` or without. The workspace holds which elements ReLU
 * let pass; it is made where a derivative reads it.
 */
export const batchNormAddTrain = defineFusedOp({
  name: "batchNormAddTrain",
  inputs: OPERANDS,
  outputs: ["y", "mean", "variance", "workspace?"],
  inPlace: IN_PLACE,
  flops: ({ x }) => 9 * elementCount(x),
});

/** The same with the running statistics. */
export const batchNormAddEvaluate = defineFusedOp({
  name: "batchNormAddEvaluate",
  inputs: OPERANDS,
  outputs: ["y"],
  inPlace: IN_PLACE,
  flops: ({ x }) => 3 * elementCount(x),
});

/**
 * d = dy (+ dyOther) where the workspace lets it pass, else 0: dresidual = d; dx, dgamma and dbeta as
 * batchNormBackward's of d. dyOther spares the sum of two gradients that meet at y.
 */
export const batchNormAddBackward = defineFusedOp({
  name: "batchNormAddBackward",
  inputs: ["x", "dy", "gamma", "beta", "mean", "variance", "workspace", "dyOther?"],
  outputs: ["dx", "dgamma", "dbeta", "dresidual"],
  // d is written in the first pass, dx in the second, which reads x and d at its own place alone.
  inPlace: [
    ["x", "dx"],
    ["dyOther", "dx"],
    ["dy", "dresidual"],
    ["dyOther", "dresidual"],
  ],
  flops: ({ x }) => 11 * elementCount(x),
});
