/** @file The fully connected layer. */

import { checkPositiveInteger } from "../core/checks.ts";
import * as ops from "../ops/index.ts";
import { kaimingUniform } from "./conv2d.ts";
import { type Layer, parameterName } from "./layer.ts";

/** Of linear. */
export interface LinearOptions {
  /** Output features. */
  readonly features: number;
  /** Default true. */
  readonly bias?: boolean;
  /** Input features, for a check; default: those of the input. */
  readonly inputFeatures?: number;
}

/**
 * (B,I) -> (B,features): y = x weightᵀ + bias. Parameters: weight (features,I), bias (features),
 * both uniform within 1 / sqrt(I), as PyTorch's.
 */
export function linear({ features, bias = true, inputFeatures }: LinearOptions): Layer {
  checkPositiveInteger("linear", "features", features);
  return {
    build(x, scope) {
      const { builder, name } = scope;
      const shape = [features, inputFeatures ?? x.shape[1] ?? 1];
      const uniform = kaimingUniform(shape[1]!);
      const weight = builder.parameter(parameterName(scope, "weight"), shape, uniform);
      const operands = bias
        ? { x, weight, bias: builder.parameter(parameterName(scope, "bias"), [features], uniform) }
        : { x, weight };
      return builder.apply(ops.linear, name, operands, {}).y;
    },
  };
}
