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
  /**
   * Zeros on each side; default 0. "same": as many as give ceil(H / stride) rows, and columns alike, an odd one
   * after the last, as in TensorFlow.
   */
  readonly padding?: Pair | "same";
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

/** Zeros before and after an axis that give ceil(extent / stride) places; of an odd number more are after. */
function samePadding(extent: number, kernel: number, stride: number): [number, number] {
  const zeros = Math.max(0, (Math.ceil(extent / stride) - 1) * stride + kernel - extent);
  return [Math.floor(zeros / 2), Math.ceil(zeros / 2)];
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
 * (B,C,H,W) -> (B,channels,H',W'), H' = floor((H + 2 padding - kernel) / stride) + 1, or ceil(H / stride)
 * with padding "same".
 * Parameters: weight (channels,C/groups,kh,kw), bias (channels).
 */
export function conv2d(options: Conv2dOptions): Layer {
  const { channels, groups = 1, bias = true, initialization = "default" } = options;
  checkPositiveInteger("conv2d", "channels", channels);
  checkPositiveInteger("conv2d", "groups", groups);
  const kernel = positivePair("conv2d", "kernel", options.kernel);
  const stride = positivePair("conv2d", "stride", options.stride ?? 1);
  const { padding = 0 } = options;
  const sides = padding === "same" ? null : nonNegativePair("conv2d", "padding", padding);
  /** Of images of that size; `paddingAfter` where it differs. */
  const paddingOf = (height: number, width: number) => {
    if (sides) return { padding: sides };
    const [top, bottom] = samePadding(height, kernel[0], stride[0]);
    const [left, right] = samePadding(width, kernel[1], stride[1]);
    const isEven = top === bottom && left === right;
    return {
      padding: [top, left] as const,
      ...(isEven ? {} : { paddingAfter: [bottom, right] as const }),
    };
  };
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
      const [, , height = 1, width = 1] = x.shape;
      const attributes = {
        stride,
        ...paddingOf(height, width),
        ...(groups > 1 ? { groups } : {}),
      };
      return builder.apply(ops.conv2d, name, operands, attributes).y;
    },
  };
}
