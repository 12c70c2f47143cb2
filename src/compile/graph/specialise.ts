/**
 * @file Training and evaluation differ in some ops: batch norm takes the batch's statistics or the
 * running ones, dropout is there or gone. This pass decides, and attaches the loss or the softmax.
 */

import { ArgumentError } from "../../core/errors.ts";
import { elementCount } from "../../core/shapes.ts";
import { type Graph, GraphBuilder, type Node } from "../../ir/index.ts";
import {
  batchNorm,
  batchNormEvaluate,
  batchNormTrain,
  dropout,
  softmax,
  softmaxCrossEntropy,
} from "../../ops/index.ts";

export type Mode = "train" | "evaluate" | "predict";

export interface LossOptions {
  readonly labelSmoothing: number;
  readonly classWeights?: readonly number[] | undefined;
}

/** Outputs "loss" and "correct" of the graph's logits. */
export function attachLoss(graph: Graph, { labelSmoothing, classWeights }: LossOptions): Graph {
  const builder = GraphBuilder.extend(graph);
  const { loss, correct } = builder.apply(
    softmaxCrossEntropy,
    "loss",
    {
      logits: builder.tensors[graph.outputs.logits!]!,
      labels: builder.labels(),
      ...(classWeights && { classWeights: builder.constant("loss.class_weights", classWeights) }),
    },
    { labelSmoothing },
  );
  return builder.finish({ loss, correct });
}

/** Outputs "loss" and "correct" of the graph's logits, and "probabilities", which say what was taken for what. */
export function attachEvaluation(graph: Graph): Graph {
  const builder = GraphBuilder.extend(graph);
  const logits = builder.tensors[graph.outputs.logits!]!;
  const { probabilities } = builder.apply(softmax, "probabilities", { logits }, {});
  const { loss, correct } = builder.apply(
    softmaxCrossEntropy,
    "loss",
    { logits, labels: builder.labels() },
    { labelSmoothing: 0 },
  );
  return builder.finish({ loss, correct, probabilities });
}

/** Output "probabilities" of the graph's logits. */
export function attachSoftmax(graph: Graph): Graph {
  const builder = GraphBuilder.extend(graph);
  const logits = builder.tensors[graph.outputs.logits!]!;
  return builder.finish({
    probabilities: builder.apply(softmax, "probabilities", { logits }, {}).probabilities,
  });
}

/** Batch norm of one value a channel: its output would be beta, its variance 0, its unbiased one 0 / 0. */
function refuseSingleValue(graph: Graph, { layer, inputs }: Node): void {
  const { shape } = graph.tensors[inputs[0]!]!;
  if (elementCount(shape) === shape[1])
    throw new ArgumentError(
      `batchNorm "${layer}": a training batch of ${graph.batch} gives it a single value per channel (x is [${shape.join(", ")}]); use another batch size, drop the last batch, or use larger images`,
    );
}

/** What a batch norm of frozen scale does in training: as in evaluation, or its statistics move. */
export type FrozenBatchNorm = "evaluate" | "train";

/**
 * Decide each op's variant for a mode. A batch norm whose scale is frozen is in evaluation mode
 * even in training, unless `frozenBatchNorm` says "train".
 * @throws ArgumentError where training would give batch norm one value per channel
 */
export function specialise(
  graph: Graph,
  mode: Mode,
  frozenBatchNorm: FrozenBatchNorm = "evaluate",
): Graph {
  const trains = (gamma: number) =>
    frozenBatchNorm === "train" || graph.tensors[gamma]!.trainable !== false;
  const builder = new GraphBuilder(graph.name, graph.batch, { tensors: graph.tensors, nodes: [] });
  const replaced = new Map<number, number>();
  const now = (id: number) => replaced.get(id) ?? id;
  for (const original of graph.nodes) {
    const node = { ...original, inputs: original.inputs.map(now) };
    if (node.op === dropout.name && (mode !== "train" || node.attributes.p === 0)) {
      replaced.set(node.outputs[0]!, node.inputs[0]!);
    } else if (node.op === batchNorm.name) {
      const training = mode === "train" && trains(node.inputs[1]!);
      if (training) refuseSingleValue(graph, node);
      builder.nodes.push(training ? trained(builder, node) : evaluated(node));
    } else {
      builder.nodes.push(node);
    }
  }
  const { name, batch, outputs } = graph;
  const finalOutputs = Object.entries(outputs).map(([key, id]) => [key, now(id)] as const);
  return {
    name,
    batch,
    tensors: builder.tensors,
    nodes: builder.nodes,
    outputs: Object.fromEntries(finalOutputs),
  };
}

function trained(builder: GraphBuilder, node: Node): Node {
  const channels = [builder.tensors[node.inputs[0]!]!.shape[1]!];
  const mean = builder.value(`${node.layer}:mean`, channels);
  const variance = builder.value(`${node.layer}:variance`, channels);
  return { ...node, op: batchNormTrain.name, outputs: [node.outputs[0]!, mean.id, variance.id] };
}

const evaluated = (node: Node): Node => ({
  ...node,
  op: batchNormEvaluate.name,
  attributes: { epsilon: node.attributes.epsilon! },
});
