/** @file The ops, and how a pass finds one by its name. */

import { InternalError } from "../core/errors.ts";
import type { AnyOp } from "../ir/index.ts";
import { adaptiveAveragePool2d, adaptiveAveragePool2dBackward } from "./adaptive-average-pool2d.ts";
import { add } from "./add.ts";
import {
  batchNorm,
  batchNormBackward,
  batchNormEvaluate,
  batchNormEvaluateBackward,
  batchNormTrain,
} from "./batch-norm.ts";
import { batchNormAddBackward, batchNormAddEvaluate, batchNormAddTrain } from "./batch-norm-add.ts";
import { batchNormPoolBackward, batchNormPoolTrain } from "./batch-norm-pool.ts";
import { conv2dNormPoolBackward, conv2dNormPoolTrain } from "./conv-norm-pool.ts";
import { conv2d, conv2dBackwardData, conv2dBackwardWeights } from "./conv2d.ts";
import { dropout, dropoutBackward } from "./dropout.ts";
import { flatten, unflatten } from "./flatten.ts";
import { globalAveragePool, globalAveragePoolBackward } from "./global-average-pool.ts";
import { linear, linearBackwardData, linearBackwardWeights } from "./linear.ts";
import { maxPool2d, maxPool2dBackward } from "./max-pool2d.ts";
import { relu, reluBackward } from "./relu.ts";
import { relu6, relu6Backward } from "./relu6.ts";
import { softmax } from "./softmax.ts";
import { softmaxCrossEntropy, softmaxCrossEntropyGradient } from "./softmax-cross-entropy.ts";

/** A new op is added here. */
export const OPS: readonly AnyOp[] = [
  ...[add, flatten, unflatten, softmax],
  ...[batchNorm, batchNormTrain, batchNormBackward],
  ...[batchNormEvaluate, batchNormEvaluateBackward],
  ...[batchNormPoolTrain, batchNormPoolBackward],
  ...[batchNormAddTrain, batchNormAddEvaluate, batchNormAddBackward],
  ...[conv2d, conv2dBackwardData, conv2dBackwardWeights],
  ...[conv2dNormPoolTrain, conv2dNormPoolBackward],
  ...[dropout, dropoutBackward],
  ...[adaptiveAveragePool2d, adaptiveAveragePool2dBackward],
  ...[globalAveragePool, globalAveragePoolBackward],
  ...[linear, linearBackwardData, linearBackwardWeights],
  ...[maxPool2d, maxPool2dBackward],
  ...[relu, reluBackward],
  ...[relu6, relu6Backward],
  ...[softmaxCrossEntropy, softmaxCrossEntropyGradient],
];

const byOpName = new Map(OPS.map((op) => [op.name, op]));

/** The op of a node. */
export function opNamed(name: string): AnyOp {
  const op = byOpName.get(name);
  if (!op) throw new InternalError(`no op is called "${name}"`);
  return op;
}

export type { WindowAttributes } from "./window.ts";
export {
  adaptiveAveragePool2d,
  adaptiveAveragePool2dBackward,
  add,
  batchNorm,
  batchNormAddBackward,
  batchNormAddEvaluate,
  batchNormAddTrain,
  batchNormBackward,
  batchNormEvaluate,
  batchNormEvaluateBackward,
  batchNormPoolBackward,
  batchNormPoolTrain,
  batchNormTrain,
  conv2d,
  conv2dBackwardData,
  conv2dBackwardWeights,
  conv2dNormPoolBackward,
  conv2dNormPoolTrain,
  dropout,
  dropoutBackward,
  flatten,
  globalAveragePool,
  globalAveragePoolBackward,
  linear,
  linearBackwardData,
  linearBackwardWeights,
  maxPool2d,
  maxPool2dBackward,
  relu,
  relu6,
  relu6Backward,
  reluBackward,
  softmax,
  softmaxCrossEntropy,
  softmaxCrossEntropyGradient,
  unflatten,
};
