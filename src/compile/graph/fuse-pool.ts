/** @file Batch norm, ReLU and max pooling as one instruction: the normalised image is never written. */

import type { Node } from "../../ir/index.ts";
import {
  batchNormBackward,
  batchNormPoolBackward,
  batchNormPoolTrain,
  batchNormTrain,
  maxPool2dBackward,
} from "../../ops/index.ts";
import { type Draft, remove, replace, soleConsumer, soleProducer } from "./draft.ts";

/** A pooling whose input a training batch norm makes for it alone becomes part of that, both ways. */
export function fusePool(draft: Draft, pool: Node): void {
  const norm = soleProducer(draft, pool.inputs[0]!);
  if (norm?.op !== batchNormTrain.name) return;
  const [y, workspace] = pool.outputs;
  const backward = workspace === undefined ? undefined : findBackward(draft, norm, workspace);
  if (workspace !== undefined && !backward) return;

  const [, mean, variance] = norm.outputs;
  const statistics = [mean!, variance!];
  replace(draft, norm, {
    ...norm,
    op: batchNormPoolTrain.name,
    outputs: [y!, ...statistics, ...(workspace === undefined ? [] : [workspace])],
    attributes: { ...norm.attributes, ...pool.attributes },
  });
  remove(draft, pool);
  if (!backward) return;
  const { ofPool, ofNorm } = backward;
  const [x, , gamma, beta] = ofNorm.inputs;
  replace(draft, ofNorm, {
    ...ofNorm,
    op: batchNormPoolBackward.name,
    inputs: [x!, ofPool.inputs[0]!, gamma!, beta!, ...statistics, y!, workspace!],
    attributes: { ...ofNorm.attributes, ...pool.attributes },
  });
  remove(draft, ofPool);
}

/** The derivatives of the pair, where the one reads the other's result alone. */
function findBackward(draft: Draft, norm: Node, workspace: number) {
  const ofPool = draft.nodes.find(
    ({ op, inputs }) => op === maxPool2dBackward.name && inputs[1] === workspace,
  );
  const ofNorm = ofPool && soleConsumer(draft, ofPool.outputs[0]!);
  const fits = ofNorm?.op === batchNormBackward.name && ofNorm.inputs[0] === norm.inputs[0];
  return fits ? { ofPool: ofPool!, ofNorm } : undefined;
}
