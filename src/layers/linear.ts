/** @file The fully connected layer. */

import { checkPositive, checkPositiveInteger } from "../core/checks.ts";
import type { Initializer } from "../core/initializer.ts";
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
  /**
   * "default": uniform within 1 / sqrt(I), as PyTorch's layer; a number: normal of that standard
   * deviation, biases 0, as torchvision's VGGs and MobileNets have it with 0.01.
   */
  readonly initialization?: "default" | number;
}

/**
 * (B,I) -> (B,features): y = x weightᵀ + bias. Parameters: weight (features,I), bias (features),
 * both uniform within 1 / sqrt(I), as PyTorch's, unless `initialization` says otherwise.
 */
export function linear(options: LinearOptions): Layer {
  const { features, bias = true, inputFeatures, initialization = "default" } = options;
  checkPositiveInteger("linear", "features", features);
  if (initialization !== "default") checkPositive("linear", "initialization", initialization);
  return {
    build(x, scope) {
      const { builder, name } = scope;
      const inputs = inputFeatures ?? x.shape[1] ?? 1;
      const [begin, beginBias]: [Initializer, Initializer] =
        initialization === "default"
          ? [kaimingUniform(inputs), kaimingUniform(inputs)]
          : [
              { kind: "normal", std: initialization },
              { kind: "constant", value: 0 },
            ];
      const weight = builder.parameter(parameterName(scope, "weight"), [features, inputs], begin);
      const biasName = parameterName(scope, "bias");
      const operands = bias
        ? { x, weight, bias: builder.parameter(biasName, [features], beginBias) }
        : { x, weight };
      return builder.apply(ops.linear, name, operands, {}).y;
    },
  };
}
