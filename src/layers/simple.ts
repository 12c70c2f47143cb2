/** @file The layers without parameters. */

import { checkHalfOpen } from "../core/checks.ts";
import * as ops from "../ops/index.ts";
import { type Layer, nonNegativePair, type Pair, positivePair } from "./layer.ts";

/** max(x, 0), any shape. */
export const relu = (): Layer => ({
  build: (x, { builder, name }) => builder.apply(ops.relu, name, { x }, {}).y,
});

/** min(max(x, 0), 6), any shape. */
export const relu6 = (): Layer => ({
  build: (x, { builder, name }) => builder.apply(ops.relu6, name, { x }, {}).y,
});

/** (B,...) -> (B, product of the rest). */
export const flatten = (): Layer => ({
  build: (x, { builder, name }) => builder.apply(ops.flatten, name, { x }, {}).y,
});

/** (B,C,H,W) -> (B,C): the mean over height and width. */
export const globalAveragePool = (): Layer => ({
  build: (x, { builder, name }) => builder.apply(ops.globalAveragePool, name, { x }, {}).y,
});

/**
 * (B,C,H,W) -> (B,C,h,w): the means of h x w windows, which overlap where H and W are no multiples, as
 * PyTorch's AdaptiveAvgPool2d. Images of that size pass unchanged.
 */
export function adaptiveAveragePool2d({ size }: { readonly size: Pair }): Layer {
  const outputSize = positivePair("adaptiveAveragePool2d", "size", size);
  return {
    build(x, { builder, name }) {
      const [, , height, width] = x.shape;
      if (height === outputSize[0] && width === outputSize[1]) return x;
      return builder.apply(ops.adaptiveAveragePool2d, name, { x }, { outputSize }).y;
    },
  };
}

/** Of maxPool2d. */
export interface MaxPool2dOptions {
  readonly kernel: Pair;
  /** Default: the kernel. */
  readonly stride?: Pair;
  /** Minus infinities on each side, at most half the kernel; default 0. */
  readonly padding?: Pair;
}

/** (B,C,H,W) -> (B,C,H',W'), H' = floor((H + 2 padding - kernel) / stride) + 1. */
export function maxPool2d(options: MaxPool2dOptions): Layer {
  const kernel = positivePair("maxPool2d", "kernel", options.kernel);
  const stride = positivePair("maxPool2d", "stride", options.stride ?? options.kernel);
  const padding = nonNegativePair("maxPool2d", "padding", options.padding ?? 0);
  return {
    build: (x, { builder, name }) =>
      builder.apply(ops.maxPool2d, name, { x }, { kernel, stride, padding }).y,
  };
}

/** Drops elements with probability p, in [0, 1), in training; any shape. Default 0.5. */
export function dropout({ p = 0.5 }: { readonly p?: number } = {}): Layer {
  checkHalfOpen("dropout", "p", p, 0, 1);
  return {
    build: (x, { builder, name }) =>
      builder.apply(ops.dropout, name, { x }, { p, layerIndex: builder.count(ops.dropout) }).y,
  };
}
