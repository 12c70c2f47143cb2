/**
 * @file The fused kinds of batch normalisation, as what they stand for: batch norm, then a sum or a
 * pooling, each by its own kernel, with memory between them.
 */

import { roundToBfloat16 } from "../../core/bfloat16.ts";
import type { Instruction } from "../../program/index.ts";
import { batchNormBackward, batchNormEvaluate, batchNormTrain } from "./batch-norm.ts";
import { conv2d, conv2dBackwardWeights } from "./convolution.ts";
import { flagAttribute, type Kernel, type KernelCall } from "./kernel.ts";
import type { Tensor } from "./memory.ts";
import { maxPool2d, maxPool2dBackward } from "./pooling.ts";

/** A tensor of the same shape and precision, with memory of its own. */
const like = ({ data, ...rest }: Tensor): Tensor => ({ ...rest, data: data.slice() });

/** The call with other operands; `relu: false` leaves ReLU to the caller, and the rest is as the call has it. */
const calling = (
  call: KernelCall,
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
  relu?: false,
): KernelCall => {
  const { instruction } = call;
  const attributes: Instruction["attributes"] =
    relu === false
      ? Object.create(instruction.attributes, { relu: { value: relu } })
      : instruction.attributes;
  return { ...call, instruction: { ...instruction, attributes }, inputs, outputs };
};

export const batchNormPoolTrain: Kernel = (call) => {
  const [y, mean, variance, workspace] = call.outputs;
  const normalised = like(call.inputs[0]!);
  batchNormTrain(calling(call, call.inputs, [normalised, mean!, variance!]));
  maxPool2d(calling(call, [normalised], workspace ? [y!, workspace] : [y!]));
};

export const batchNormPoolBackward: Kernel = (call) => {
  const [x, dy, gamma, beta, mean, variance, , workspace] = call.inputs;
  const spread = like(x!);
  maxPool2dBackward(calling(call, [dy!, workspace!], [spread]));
  batchNormBackward(calling(call, [x!, spread, gamma!, beta!, mean!, variance!], call.outputs));
};

/** The call of one of a first block's parts: the attributes that the kind leaves out are fixed. */
const ofBlock = (
  call: KernelCall,
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
  fixed: Instruction["attributes"],
): KernelCall => {
  const { instruction } = call;
  const attributes = { ...instruction.attributes, ...fixed };
  return { ...call, instruction: { ...instruction, attributes }, inputs, outputs };
};
const CONVOLUTION = { stride: [1, 1], relu: false };
/** In a block's workspace: ReLU let nothing pass. */
const BLOCKED = -1;
const TWO_BY_TWO = { kernel: [2, 2], stride: [2, 2], padding: [0, 0] };

/** What the block's convolution makes of x, never rounded. */
function convolved(
  call: KernelCall,
  pooled: Tensor,
  [x, weight, ...bias]: readonly Tensor[],
): Tensor {
  const [B = 0, O = 0, H = 0, W = 0] = pooled.shape;
  const shape = [B, O, 2 * H, 2 * W];
  const y: Tensor = { ...pooled, shape, data: new Float64Array(4 * pooled.data.length) };
  conv2d(ofBlock(call, [x!, weight!, ...bias], [y], CONVOLUTION));
  return y;
}

function channelMeans({ shape: [B = 0, C = 0, H = 0, W = 0], data }: Tensor): Float64Array {
  const means = new Float64Array(C);
  data.forEach((value, i) => {
    means[Math.floor(i / (H * W)) % C]! += value / (B * H * W);
  });
  return means;
}

export const conv2dNormPoolTrain: Kernel = (call) => {
  const [x, weight, gamma, beta, runningMean, runningVariance, ...bias] = call.inputs;
  const [y, , , workspace] = call.outputs;
  const made = convolved(call, y!, [x!, weight!, ...bias]);
  const operands = [made, gamma!, beta!, runningMean!, runningVariance!];
  batchNormPoolTrain(ofBlock(call, operands, call.outputs, TWO_BY_TWO));
  if (workspace && flagAttribute(call.instruction, "relu"))
    y!.data.forEach((value, i) => {
      if (!(value > 0)) workspace.data[i] = BLOCKED;
    });
};

export const conv2dNormPoolBackward: Kernel = (call) => {
  const [x, weight, dy, gamma, variance, workspace] = call.inputs;
  const [dweight, dgamma, dbeta, ...dbias] = call.outputs;
  const made = convolved(call, dy!, [x!, weight!]);
  // The bias moves the mean as it moves x.
  const mean: Tensor = { ...variance!, data: channelMeans(made) };
  const passed = { ...dy!, data: dy!.data.map((d, i) => (workspace!.data[i] === BLOCKED ? 0 : d)) };
  const positions = { ...workspace!, data: workspace!.data.map((at) => Math.max(0, at)) };
  const dx = like(made);
  const operands = [made, passed, gamma!, gamma!, mean, variance!, passed, positions];
  batchNormPoolBackward(ofBlock(call, operands, [dx, dgamma!, dbeta!], TWO_BY_TWO));
  conv2dBackwardWeights(ofBlock(call, [x!, dx], [dweight!], CONVOLUTION));
  // A normalised value does not depend on it; the sum of dx is what rounding leaves of 0.
  for (const { data } of dbias) data.fill(0);
};

/** y = normalised + residual, with ReLU where the instruction asks for it. */
function addResidual(call: KernelCall, normalised: Tensor): void {
  const relu = flagAttribute(call.instruction, "relu");
  const residual = call.inputs[5]!.data;
  const [y, , , workspace] = call.outputs;
  for (let i = 0; i < y!.data.length; i++) {
    const sum = normalised.data[i]! + residual[i]!;
    y!.data[i] = relu ? Math.max(0, sum) : sum;
    if (workspace) workspace.data[i] = sum > 0 ? 1 : 0;
  }
}

export const batchNormAddTrain: Kernel = (call) => {
  const [, mean, variance] = call.outputs;
  const normalised = like(call.inputs[0]!);
  batchNormTrain(calling(call, call.inputs, [normalised, mean!, variance!], false));
  addResidual(call, normalised);
};

export const batchNormAddEvaluate: Kernel = (call) => {
  const normalised = like(call.inputs[0]!);
  batchNormEvaluate(calling(call, call.inputs, [normalised], false));
  addResidual(call, normalised);
};

export const batchNormAddBackward: Kernel = (call) => {
  const [x, dy, gamma, beta, mean, variance, workspace, dyOther] = call.inputs;
  const [dx, dgamma, dbeta, dresidual] = call.outputs;
  const passed = like(dy!);
  for (let i = 0; i < passed.data.length; i++)
    passed.data[i] = workspace!.data[i]! > 0 ? dy!.data[i]! + (dyOther?.data[i] ?? 0) : 0;
  // The gradient of the sum is a tensor, of which dx is computed as it is stored.
  if (dresidual!.dtype === "bf16") roundToBfloat16(passed.data);
  dresidual!.data.set(passed.data);
  const operands = [x!, passed, gamma!, beta!, mean!, variance!];
  batchNormBackward(calling(call, operands, [dx!, dgamma!, dbeta!], false));
};
