/**
 * @file Batch norm, the sum with a residual, and ReLU as one instruction. Backward, the gradient that
 * ReLU let pass is the residual's too; where two gradients meet at the block's output, their sum is
 * taken by the same instruction.
 */

import { consumers, type Node } from "../../ir/index.ts";
import {
  add,
  batchNormAddBackward,
  batchNormAddEvaluate,
  batchNormAddTrain,
  batchNormBackward,
  batchNormEvaluate,
  batchNormTrain,
  relu,
  reluBackward,
} from "../../ops/index.ts";
import { type Draft, newWorkspace, remove, replace, soleConsumer, soleProducer } from "./draft.ts";

const FUSED: Readonly<Record<string, string>> = {
  [batchNormTrain.name]: batchNormAddTrain.name,
  [batchNormEvaluate.name]: batchNormAddEvaluate.name,
};

/** A sum of which one operand comes from a batch norm becomes part of that. */
export function fuseResidual(draft: Draft, sum: Node): void {
  const [a, b] = sum.inputs;
  const operands = [
    [a!, b!],
    [b!, a!],
  ] as const;
  for (const [normalised, residual] of operands) {
    const norm = soleProducer(draft, normalised);
    if (!norm || !FUSED[norm.op] || norm.attributes.relu) continue;
    fuseInto(draft, { norm, sum, residual });
    return;
  }
}

function fuseInto(
  draft: Draft,
  { norm, sum, residual }: { norm: Node; sum: Node; residual: number },
): void {
  const activation = soleConsumer(draft, sum.outputs[0]!);
  const isRelu = activation?.op === relu.name;
  const backward = isRelu ? findBackward(draft, norm, activation.outputs[0]!) : "none";
  const withRelu = isRelu && backward !== undefined;
  const y = withRelu ? activation.outputs[0]! : sum.outputs[0]!;
  const keeps = withRelu && backward !== "none" ? [newWorkspace(draft, norm, y)] : [];
  if (withRelu) remove(draft, activation);
  remove(draft, norm);
  // At the sum's place: the residual may be made after the batch norm.
  replace(draft, sum, {
    ...norm,
    op: FUSED[norm.op]!,
    inputs: [...norm.inputs, residual],
    outputs: [y, ...norm.outputs.slice(1), ...keeps],
    attributes: { ...norm.attributes, ...(withRelu && { relu: true }) },
  });
  if (withRelu && backward !== undefined && backward !== "none")
    fuseBackward(draft, { ...backward, workspace: keeps[0]! });
}

interface Backward {
  readonly ofRelu: Node;
  readonly ofNorm: Node;
}

/** The derivatives of both; "none" where nothing is derived, undefined where they do not fit. */
function findBackward(draft: Draft, norm: Node, y: number): Backward | "none" | undefined {
  const ofRelu = draft.nodes.find(({ op, inputs }) => op === reluBackward.name && inputs[0] === y);
  if (!ofRelu) return "none";
  const passed = ofRelu.outputs[0]!;
  const ofNorm = consumers(draft, passed).find(
    ({ op, inputs }) =>
      op === batchNormBackward.name && inputs[0] === norm.inputs[0] && inputs[1] === passed,
  );
  return ofNorm && { ofRelu, ofNorm };
}

/** At the place of ReLU's derivative: others may read what it let pass before batch norm's does. */
function fuseBackward(
  draft: Draft,
  { ofRelu, ofNorm, workspace }: Backward & { workspace: number },
): void {
  const dy = ofRelu.inputs[1]!;
  const meeting = soleProducer(draft, dy);
  const gradients = meeting?.op === add.name ? meeting.inputs : [dy];
  const [x, , gamma, beta, mean, variance] = ofNorm.inputs;
  remove(draft, ofNorm);
  replace(draft, ofRelu, {
    ...ofNorm,
    op: batchNormAddBackward.name,
    inputs: [x!, gradients[0]!, gamma!, beta!, mean!, variance!, workspace, ...gradients.slice(1)],
    outputs: [...ofNorm.outputs, ofRelu.outputs[0]!],
  });
  if (meeting?.op === add.name) remove(draft, meeting);
}
