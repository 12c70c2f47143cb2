/** @file The passes on graphs, in order, for each of a network's programs. */

import type { DifferentiatedGraph, Graph, Network } from "../ir/index.ts";
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

/** Loss and correct count, with running statistics and without dropout. */
export const evaluationGraph = (network: Network, batch: number): Graph =>
  fuse(trim(specialise(attachLoss(network.build(batch), { labelSmoothing: 0 }), "evaluate")));

/** Probabilities. */
export const predictionGraph = (network: Network, batch: number): Graph =>
  fuse(trim(specialise(attachSoftmax(network.build(batch)), "predict")));
