/**
 * @file Neighbours that one instruction computes together:
 *
 *   softmaxCrossEntropy + its gradient  -> softmaxCrossEntropy with a third output
 *   batchNorm + relu                    -> batchNorm with relu, both ways
 *   conv2d or linear + relu             -> the same with relu as its epilogue
 *
 * The bias is part of conv2d and linear from the start.
 */

import {
  consumers,
  type DifferentiatedGraph,
  type Graph,
  type Node,
  type Tensor,
} from "../ir/index.ts";
import {
  batchNormBackward,
  batchNormEvaluate,
  batchNormTrain,
  conv2d,
  linear,
  relu,
  reluBackward,
  softmaxCrossEntropy,
  softmaxCrossEntropyGradient,
} from "../ops/index.ts";

/** A graph under change: nodes are replaced or removed, tensors appended. */
interface Draft {
  readonly tensors: Tensor[];
  readonly nodes: Node[];
  readonly outputs: Graph["outputs"];
}

export function fuse<G extends Graph | DifferentiatedGraph>(graph: G): G {
  const draft = { tensors: [...graph.tensors], nodes: [...graph.nodes], outputs: graph.outputs };
  fuseLossGradient(draft);
  for (const node of [...draft.nodes]) if (node.op === relu.name) fuseRelu(draft, node);
  return { ...graph, tensors: draft.tensors, nodes: draft.nodes };
}

const replace = (draft: Draft, old: Node, by: Node) => {
  draft.nodes[draft.nodes.indexOf(old)] = by;
};

const remove = (draft: Draft, old: Node) => {
  draft.nodes.splice(draft.nodes.indexOf(old), 1);
};

function fuseLossGradient(draft: Draft): void {
  const gradient = draft.nodes.find(({ op }) => op === softmaxCrossEntropyGradient.name);
  const loss = draft.nodes.find(({ op }) => op === softmaxCrossEntropy.name);
  if (!gradient || !loss) return;
  remove(draft, gradient);
  replace(draft, loss, { ...loss, outputs: [...loss.outputs.slice(0, 2), gradient.outputs[0]!] });
}

function fuseRelu(draft: Draft, node: Node): void {
  const [x, y] = [node.inputs[0]!, node.outputs[0]!];
  const producer = draft.nodes.find(({ outputs }) => outputs[0] === x);
  if (!producer || consumers(draft, x).length !== 1 || Object.values(draft.outputs).includes(x))
    return;
  const { op, outputs, attributes } = producer;
  if (attributes.relu) return;
  const fused = {
    ...producer,
    outputs: [y, ...outputs.slice(1)],
    attributes: { ...attributes, relu: true },
  };
  if (op === conv2d.name || op === linear.name || op === batchNormEvaluate.name) {
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
  const shape = draft.tensors[y]!.shape;
  const workspace: Tensor = {
    id: draft.tensors.length,
    name: `${forward.layer}:workspace`,
    role: "value",
    shape,
    dtype: "u8",
  };
  draft.tensors.push(workspace);
  const [x, , ...statistics] = ofNorm.inputs;
  replace(draft, ofNorm, {
    ...ofNorm,
    inputs: [x!, ofRelu.inputs[1]!, ...statistics, workspace.id],
    attributes: { ...ofNorm.attributes, relu: true },
  });
  remove(draft, ofRelu);
  return [workspace.id];
}
