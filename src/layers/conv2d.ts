/** @file The convolution layer. */

import { checkPositiveInteger } from "../core/checks.ts";
import type { Initializer } from "../core/initializer.ts";
import { elementCount } from "../core/shapes.ts";
import * as ops from "../ops/index.ts";
import { type Layer, nonNegativePair, type Pair, parameterName, positivePair } from "./layer.ts";

/** Of conv2d. */
export interface Conv2dOptions {
  /** Output channels. */
  readonly channels: number;
  readonly kernel: Pair;
  /** Default 1. */
  readonly stride?: Pair;
  /** Zeros on each side; default 0. */
  readonly padding?: Pair;
  /** Default true, as PyTorch's. */
  readonly bias?: boolean;
  /** Groups of channels that see nothing of each other; as many as channels: depthwise. Default 1. */
  readonly groups?: number;
  /** Input channels, for a check; default: those of the input. */
  readonly inputChannels?: number;
  /**
   * "default": Kaiming uniform with a = sqrt 5, that is uniform within 1 / sqrt(fan in), as
   * PyTorch's layers; "fanOut": Kaiming normal, std = sqrt(2 / fan out), biases 0, as torchvision's
   * models.
   */
  readonly initialization?: "default" | "fanOut";
}

/** PyTorch's default of weight and bias: uniform within 1 / sqrt(fan in). */
export function kaimingUniform(fanIn: number): Initializer {
  const bound = 1 / Math.sqrt(fanIn);
  return { kind: "uniform", low: -bound, high: bound };
}

const kaimingNormalFanOut = (fanOut: number): Initializer => ({
  kind: "normal",
  std: Math.sqrt(2 / fanOut),
});

/**
 * (B,C,H,W) -> (B,channels,H',W'), H' = floor((H + 2 padding - kernel) / stride) + 1.
 * Parameters: weight (channels,C/groups,kh,kw), bias (channels).
 */
export function conv2d(options: Conv2dOptions): Layer {
  const { channels, groups = 1, bias = true, initialization = "default" } = options;
  checkPositiveInteger("conv2d", "channels", channels);
  checkPositiveInteger("conv2d", "groups", groups);
  const kernel = positivePair("conv2d", "kernel", options.kernel);
  const stride = positivePair("conv2d", "stride", options.stride ?? 1);
  const padding = nonNegativePair("conv2d", "padding", options.padding ?? 0);
  return {
    build(x, scope) {
      const { builder, name } = scope;
      const seen = Math.max(1, Math.floor((options.inputChannels ?? x.shape[1] ?? 1) / groups));
      const shape = [channels, seen, ...kernel];
      const uniform = kaimingUniform(seen * elementCount(kernel));
      const weight = builder.parameter(
        parameterName(scope, "weight"),
        shape,
        initialization === "fanOut"
          ? kaimingNormalFanOut(channels * elementCount(kernel))
          : uniform,
      );
      const zero = { kind: "constant", value: 0 } as const;
      const begin = initialization === "fanOut" ? zero : uniform;
      const operands = bias
        ? { x, weight, bias: builder.parameter(parameterName(scope, "bias"), [channels], begin) }
        : { x, weight };
      const attributes = { stride, padding, ...(groups > 1 ? { groups } : {}) };
      return builder.apply(ops.conv2d, name, operands, attributes).y;
    },
  };
}
