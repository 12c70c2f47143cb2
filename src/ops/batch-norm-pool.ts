/**
 * @file Batch normalisation, ReLU and max pooling as one op, which the fusion pass puts in place of
 * the three: what lies between them is never written. Formulas: batch-norm.ts, relu.ts, max-pool2d.ts.
 */

import { elementCount } from "../core/shapes.ts";
import { defineFusedOp } from "../ir/index.ts";

/**
 * y = maxPool(relu(batchNorm(x))), with `relu` or without. The workspace, one byte for each of y's
 * elements or more, holds the place of the maximum, or that ReLU let nothing pass; training only.
 */
export const batchNormPoolTrain = defineFusedOp({
  name: "batchNormPoolTrain",
  inputs: ["x", "gamma", "beta", "runningMean", "runningVariance"],
  outputs: ["y", "mean", "variance", "workspace?"],
  flops: ({ x }) => 9 * elementCount(x),
});

/**
 * dbeta and dgamma are sums over the places that were pooled alone; y and the workspace say which.
 * dx as batchNormBackward's, with dy at those places and 0 elsewhere.
 */
export const batchNormPoolBackward = defineFusedOp({
  name: "batchNormPoolBackward",
  inputs: ["x", "dy", "gamma", "beta", "mean", "variance", "y", "workspace"],
  outputs: ["dx", "dgamma", "dbeta"],
  inPlace: [["x", "dx"]],
  flops: ({ x, dy }) => 5 * elementCount(x) + 5 * elementCount(dy),
});
