/**
 * @file Neighbours that one instruction computes together:
 *
 *   softmaxCrossEntropy + its gradient  -> softmaxCrossEntropy with a third output
 *   batchNorm + relu                    -> batchNorm with relu, both ways
 *   batchNorm (+ relu) + maxPool2d      -> batchNormPool, both ways; see fuse-pool.ts
 *   batchNorm + add (+ relu)            -> batchNormAdd, both ways; see fuse-residual.ts
 *   conv2d, linear or add + relu        -> the same with relu as its epilogue
 *
 * The bias is part of conv2d and linear from the start.
 */

import { consumers, type DifferentiatedGraph, type Graph, type Node } from "../../ir/index.ts";
import {
  add,
  batchNormAddEvaluate,
  batchNormAddTrain,
  batchNormBackward,
  batchNormEvaluate,
  batchNormTrain,
  conv2d,
  linear,
  maxPool2d,
  relu,
  reluBackward,
  softmaxCrossEntropy,
  softmaxCrossEntropyGradient,
} from "../../ops/index.ts";
import { type Draft, newWorkspace, remove, replace, soleProducer } from "./draft.ts";
import { fusePool } from "./fuse-pool.ts";
import { fuseResidual } from "./fuse-residual.ts";

export function fuse<G extends Graph | DifferentiatedGraph>(graph: G): G {
  const draft = { tensors: [...graph.tensors], nodes: [...graph.nodes], outputs: graph.outputs };
  fuseLossGradient(draft);
  const each = (op: { readonly name: string }, fuseOne: (draft: Draft, node: Node) => void) => {
    for (const node of [...draft.nodes])
      if (node.op === op.name && draft.nodes.includes(node)) fuseOne(draft, node);
  };
  each(add, fuseResidual);
  each(relu, fuseRelu);
  each(maxPool2d, fusePool);
  return { ...graph, tensors: draft.tensors, nodes: draft.nodes };
}

function fuseLossGradient(draft: Draft): void {
  const gradient = draft.nodes.find(({ op }) => op === softmaxCrossEntropyGradient.name);
  const loss = draft.nodes.find(({ op }) => op === softmaxCrossEntropy.name);
  if (!gradient || !loss) return;
  remove(draft, gradient);
  replace(draft, loss, { ...loss, outputs: [...loss.outputs.slice(0, 2), gradient.outputs[0]!] });
}

/** Their relu needs nothing of the backward pass: its derivative reads the fused output. */
const TAKES_RELU: readonly string[] = [
  ...[conv2d.name, linear.name, add.name],
  ...[batchNormEvaluate.name, batchNormAddEvaluate.name, batchNormAddTrain.name],
];

function fuseRelu(draft: Draft, node: Node): void {
  const [x, y] = [node.inputs[0]!, node.outputs[0]!];
  const producer = soleProducer(draft, x);
  if (!producer || producer.outputs[0] !== x) return;
  const { op, outputs, attributes } = producer;
  if (attributes.relu) return;
  const fused = {
    ...producer,
    outputs: [y, ...outputs.slice(1)],
    attributes: { ...attributes, relu: true },
  };
  if (TAKES_RELU.includes(op)) {
    remove(draft, node);
    replace(draft, producer, fused);
  } else if (op === batchNormTrain.name) {
    const workspace = fuseBackward(draft, producer, y);
    if (workspace === undefined) return;
    remove(draft, node);
    replace(draft, producer, { ...fused, outputs: [...fused.outputs, ...workspace] });
  }
}

/**
 * The backward half of batchNorm + relu: reluBackward -> batchNormBackward becomes the latter with
 * relu and the workspace that the forward half then writes. Returns that workspace, none where the
 * forward half has no backward, and undefined where the pair cannot be fused.
 */
function fuseBackward(draft: Draft, forward: Node, y: number): number[] | undefined {
  const ofRelu = draft.nodes.find(({ op, inputs }) => op === reluBackward.name && inputs[0] === y);
  if (!ofRelu) return [];
  const [dx] = ofRelu.outputs;
  const [ofNorm, ...others] = consumers(draft, dx!);
  if (
    ofNorm?.op !== batchNormBackward.name ||
    ofNorm.inputs[0] !== forward.inputs[0] ||
    others.length > 0
  )
    return undefined;
  const workspace = newWorkspace(draft, forward, y);
  const [x, , ...statistics] = ofNorm.inputs;
  replace(draft, ofNorm, {
    ...ofNorm,
    inputs: [x!, ofRelu.inputs[1]!, ...statistics, workspace],
    attributes: { ...ofNorm.attributes, relu: true },
  });
  remove(draft, ofRelu);
  return [workspace];
}
