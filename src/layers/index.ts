/** @file What a network is composed of. */

export type { Network } from "../ir/index.ts";
export { type BatchNormOptions, batchNorm } from "./batch-norm.ts";
export { type ResidualOptions, residual, sequential } from "./compose.ts";
export { type Conv2dOptions, conv2d } from "./conv2d.ts";
export type { Layer, Pair, Scope } from "./layer.ts";
export { type LinearOptions, linear } from "./linear.ts";
export { type NetworkOptions, network } from "./network.ts";
export {
  adaptiveAveragePool2d,
  dropout,
  flatten,
  globalAveragePool,
  type MaxPool2dOptions,
  maxPool2d,
  relu,
  relu6,
} from "./simple.ts";
