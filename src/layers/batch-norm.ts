/** @file The batch normalisation layer. */

import { checkHalfOpen, checkPositive } from "../core/checks.ts";
import * as ops from "../ops/index.ts";
import { type Layer, parameterName } from "./layer.ts";

/** Of batchNorm. */
export interface BatchNormOptions {
  /** Default 1e-5. */
  readonly epsilon?: number;
  /** Weight of a batch in the running statistics, in [0, 1); default 0.1. */
  readonly momentum?: number;
}

/**
 * (B,C,H,W) -> the same, each channel normalised over (B,H,W), scaled and shifted.
 * Parameters: weight (C), begins at 1; bias (C), at 0. Statistics: running_mean, running_var (C).
 */
export function batchNorm({ epsilon = 1e-5, momentum = 0.1 }: BatchNormOptions = {}): Layer {
  checkPositive("batchNorm", "epsilon", epsilon);
  checkHalfOpen("batchNorm", "momentum", momentum, 0, 1);
  return {
    build(x, scope) {
      const { builder, name } = scope;
      const shape = [x.shape[1] ?? 1];
      const constant = (value: number) => ({ kind: "constant", value }) as const;
      const gamma = builder.parameter(parameterName(scope, "weight"), shape, constant(1));
      const beta = builder.parameter(parameterName(scope, "bias"), shape, constant(0));
      const runningMean = builder.statistic(parameterName(scope, "running_mean"), shape, 0);
      const runningVariance = builder.statistic(parameterName(scope, "running_var"), shape, 1);
      const operands = { x, gamma, beta, runningMean, runningVariance };
      return builder.apply(ops.batchNorm, name, operands, { epsilon, momentum }).y;
    },
  };
}
