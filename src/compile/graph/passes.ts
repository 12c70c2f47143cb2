/** @file The passes on graphs, in order, for each of a network's programs. */

import type { DifferentiatedGraph, Graph, Network } from "../../ir/index.ts";
import { batchNormTrain } from "../../ops/index.ts";
import { differentiate } from "./differentiate.ts";
import { foldBatchNorms } from "./fold.ts";
import { freeze } from "./freeze.ts";
import { fuse } from "./fuse.ts";
import {
  attachEvaluation,
  attachLoss,
  attachSoftmax,
  type FrozenBatchNorm,
  type LossOptions,
  specialise,
} from "./specialise.ts";
import { trim } from "./trim.ts";

/** Which layers are trained. */
export interface FreezeOptions {
  /** "all" (the default), a module's name, or "head"; see freeze.ts. */
  readonly trainFrom?: string | undefined;
  /** Default "evaluate": frozen batch norms keep their statistics, and are folded where they can be. */
  readonly frozenBatchNorm?: FrozenBatchNorm | undefined;
}

/** The training step: forward, loss and gradients, fused. */
export function trainingGraph(
  network: Network,
  batch: number,
  loss: LossOptions,
  { trainFrom, frozenBatchNorm }: FreezeOptions = {},
): DifferentiatedGraph {
  const frozen = freeze(network.build(batch), trainFrom);
  const forward = specialise(attachLoss(frozen, loss), "train", frozenBatchNorm);
  return fuse(differentiate(trim(foldBatchNorms(forward))));
}

/**
 * The forward pass of training, after which running statistics are those of its batch; null where the
 * network has none.
 */
export function recalibrationGraph(
  network: Network,
  batch: number,
  { trainFrom, frozenBatchNorm }: FreezeOptions = {},
): Graph | null {
  const frozen = attachLoss(freeze(network.build(batch), trainFrom), { labelSmoothing: 0 });
  const graph = trim(foldBatchNorms(specialise(frozen, "train", frozenBatchNorm)));
  if (!graph.nodes.some(({ op }) => op === batchNormTrain.name)) return null;
  const nodes = graph.nodes.map((node) =>
    node.op === batchNormTrain.name
      ? { ...node, attributes: { ...node.attributes, momentum: 1 } }
      : node,
  );
  return fuse({ ...graph, nodes });
}

/** Statistics that move in training are read where they are. */
const foldFixed = (graph: Graph, { frozenBatchNorm }: FreezeOptions): Graph =>
  frozenBatchNorm === "train" ? graph : foldBatchNorms(graph);

/** Loss, correct count and probabilities, with running statistics and without dropout. */
export function evaluationGraph(
  network: Network,
  batch: number,
  options: FreezeOptions = {},
): Graph {
  const frozen = freeze(network.build(batch), options.trainFrom);
  const forward = specialise(attachEvaluation(frozen), "evaluate");
  return fuse(trim(foldFixed(forward, options)));
}

/** Probabilities. `whole`: no program of the network changes its weights; see fold.ts. */
export function predictionGraph(
  network: Network,
  batch: number,
  options: FreezeOptions & { readonly whole?: boolean } = {},
): Graph {
  const frozen = freeze(network.build(batch), options.trainFrom);
  const forward = specialise(attachSoftmax(frozen), "predict");
  return fuse(
    trim(options.whole ? foldBatchNorms(forward, { whole: true }) : foldFixed(forward, options)),
  );
}

/** Output "features" of a network's frozen part, its batch norms folded. */
export const featuresGraph = (graph: Graph): Graph =>
  fuse(trim(foldBatchNorms(specialise(graph, "predict"), { whole: true })));
