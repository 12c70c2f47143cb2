/**
 * @file The fused kinds of batch normalisation, as what they stand for: batch norm, then a sum or a
 * pooling, each by its own kernel, with memory between them.
 */

import { roundToBfloat16 } from "../../core/bfloat16.ts";
import type { Instruction } from "../../program/index.ts";
import { batchNormBackward, batchNormEvaluate, batchNormTrain } from "./batch-norm.ts";
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
