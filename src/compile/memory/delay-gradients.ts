/**
 * @file When gradients of weights are computed. The backward pass begins at the last layers, whose weights are the
 * largest where they are linear, and just then every activation is still kept. Nobody but the optimizer reads such
 * a gradient, so that it may wait until the activations are gone, where what it is computed from is smaller than it is.
 */

import { lastUses } from "../../ir/index.ts";
import { type MemoryPlan, type PlanOptions, plan } from "./arena.ts";
import type { LaidOutGraph, LaidOutNode } from "./lay-out.ts";

/** The graph in the order that needs less memory, and its plan: as it is, or with its large gradients last. */
export function planOrdered(
  graph: LaidOutGraph,
  options: PlanOptions = {},
): { readonly graph: LaidOutGraph; readonly plan: MemoryPlan } {
  const [given, delayed] = [graph, delayGradients(graph)].map((ordered) => ({
    graph: ordered,
    plan: plan(ordered, options),
  }));
  return delayed!.plan.peakBytes < given!.plan.peakBytes ? delayed! : given!;
}

/** The same nodes; those whose results are gradients alone, and larger than their operands, at the end. */
export function delayGradients(graph: LaidOutGraph): LaidOutGraph {
  const gradients = new Set(graph.gradients.values());
  const last = lastUses(graph);
  const bytesOf = (ids: readonly number[]) =>
    ids.reduce((sum, id) => sum + graph.tensors.get(id)!.bytes, 0);
  const waits = ({ inputs, outputs }: LaidOutNode) =>
    outputs.length > 0 &&
    outputs.every((id) => gradients.has(id) && !last.has(id)) &&
    bytesOf(outputs) > bytesOf(inputs);
  const nodes = [...graph.nodes.filter((node) => !waits(node)), ...graph.nodes.filter(waits)];
  return { ...graph, nodes };
}
