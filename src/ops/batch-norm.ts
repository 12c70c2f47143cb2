/**
 * @file Batch normalisation over (B,H,W) of each channel.
 * Source: Ioffe and Szegedy, "Batch normalization", 2015, algorithm 1 and section 3; PyTorch's
 * conventions: biased variance to normalise, unbiased in the running statistic,
 * running = (1 - momentum) * running + momentum * batch.
 */

import { elementCount, formatShape, isShape4, type Shape } from "../core/shapes.ts";
import { defineGradientOp, defineOp, type InferContext } from "../ir/index.ts";

export type BatchNormAttributes = { readonly epsilon: number; readonly momentum: number };

const OPERANDS = ["x", "gamma", "beta", "runningMean", "runningVariance"] as const;

function inferBatchNorm(
  { x, ...perChannel }: Readonly<Record<(typeof OPERANDS)[number], Shape>>,
  { fail }: InferContext<unknown>,
): { y: Shape; mean: Shape; variance: Shape } {
  if (!isShape4(x)) return fail(`expects x (B,C,H,W); x is ${formatShape(x)}`);
  const [, C] = x;
  for (const [name, shape] of Object.entries(perChannel))
    if (shape.length !== 1 || shape[0] !== C)
      fail(`expects ${name} [${C}] to match x ${formatShape(x)}; ${name} is ${formatShape(shape)}`);
  return { y: x, mean: [C], variance: [C] };
}

/** Mode not decided yet: the compiler makes it batchNormTrain or batchNormEvaluate. */
export const batchNorm = defineOp<(typeof OPERANDS)[number], "y", BatchNormAttributes>({
  name: "batchNorm",
  inputs: OPERANDS,
  outputs: ["y"],
  infer: inferBatchNorm,
});

/**
 * With n = B H W values a channel and xhat = (x - mean) / sqrt(variance + epsilon):
 *   dbeta = sum(dy)    dgamma = sum(dy xhat)
 *   dx = gamma / sqrt(variance + epsilon) * (dy - dbeta / n - xhat dgamma / n)
 * With `relu`, dy is first set to 0 where the workspace says that the forward's output was 0.
 */
export const batchNormBackward = defineGradientOp({
  name: "batchNormBackward",
  inputs: ["x", "dy", "gamma", "beta", "mean", "variance", "workspace?"],
  outputs: ["dx", "dgamma", "dbeta"],
  // The sums come first; then each element of dx needs x and dy at its own place alone.
  inPlace: [
    ["dy", "dx"],
    ["x", "dx"],
  ],
  flops: ({ x }) => 10 * elementCount(x),
});

/** y = gamma * (x - mean) / sqrt(variance + epsilon) + beta, with the batch's own mean and variance. */
export const batchNormTrain = defineOp<
  (typeof OPERANDS)[number],
  "y" | "mean" | "variance" | "workspace?",
  BatchNormAttributes
>({
  name: "batchNormTrain",
  inputs: OPERANDS,
  outputs: ["y", "mean", "variance", "workspace?"],
  dtypes: { workspace: "u8" },
  inPlace: [["x", "y"]],
  infer: (shapes, context) => inferBatchNorm(shapes, context),
  flops: ({ x }) => 8 * elementCount(x),
  saves: ["x", "gamma", "beta", "mean", "variance"],
  backward({ saved, gradients: { y: dy }, attributes: { epsilon }, emit }) {
    const { x, gamma, beta, mean, variance } = saved;
    const outputs = { dx: x.shape, dgamma: gamma.shape, dbeta: beta.shape };
    const made = emit(batchNormBackward, { x, dy, gamma, beta, mean, variance }, outputs, {
      epsilon,
    });
    return { x: made.dx, gamma: made.dgamma, beta: made.dbeta };
  },
});

/** dx = dy gamma / sqrt(runningVariance + epsilon): the statistics do not depend on x. */
export const batchNormEvaluateBackward = defineGradientOp({
  name: "batchNormEvaluateBackward",
  inputs: ["dy", "gamma", "runningVariance"],
  outputs: ["dx"],
  inPlace: [["dy", "dx"]],
  flops: ({ dy }) => elementCount(dy),
});

/** The same formula with the running statistics: in evaluation, and where scale and shift are frozen. */
export const batchNormEvaluate = defineOp<
  (typeof OPERANDS)[number],
  "y",
  { readonly epsilon: number }
>({
  name: "batchNormEvaluate",
  inputs: OPERANDS,
  outputs: ["y"],
  inPlace: [["x", "y"]],
  infer: inferBatchNorm,
  flops: ({ x }) => 2 * elementCount(x),
  saves: ["gamma", "runningVariance"],
  backward: ({ saved, shapes, gradients: { y: dy }, attributes, wants, emit }) => ({
    x: wants("x")
      ? emit(batchNormEvaluateBackward, { dy, ...saved }, { dx: shapes.x }, attributes).dx
      : undefined,
  }),
});
