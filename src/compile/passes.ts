/** @file The passes on graphs, in order, for each of a network's programs. */

import type { DifferentiatedGraph, Graph, Network } from "../ir/index.ts";
import { batchNormTrain } from "../ops/index.ts";
import { differentiate } from "./differentiate.ts";
import { fuse } from "./fuse.ts";
import { attachLoss, attachSoftmax, type LossOptions, specialise } from "./specialise.ts";
import { trim } from "./trim.ts";

/** The training step: forward, loss and gradients, fused. */
export function trainingGraph(
  network: Network,
  batch: number,
  loss: LossOptions,
): DifferentiatedGraph {
  const forward = specialise(attachLoss(network.build(batch), loss), "train");
  return fuse(differentiate(trim(forward)));
}

/**
 * The forward pass of training, after which running statistics are those of its batch; null where the
 * network has none.
 */
export function recalibrationGraph(network: Network, batch: number): Graph | null {
  const loss = { labelSmoothing: 0 };
  const graph = trim(specialise(attachLoss(network.build(batch), loss), "train"));
  if (!graph.nodes.some(({ op }) => op === batchNormTrain.name)) return null;
  const nodes = graph.nodes.map((node) =>
    node.op === batchNormTrain.name
      ? { ...node, attributes: { ...node.attributes, momentum: 1 } }
      : node,
  );
  return fuse({ ...graph, nodes });
}

/** Loss and correct count, with running statistics and without dropout. */
export const evaluationGraph = (network: Network, batch: number): Graph =>
  fuse(trim(specialise(attachLoss(network.build(batch), { labelSmoothing: 0 }), "evaluate")));

/** Probabilities. */
export const predictionGraph = (network: Network, batch: number): Graph =>
  fuse(trim(specialise(attachSoftmax(network.build(batch)), "predict")));
