/** @file Which parameters are trained: all, those from a module on, or the last layer's. */

import { ArgumentError } from "../../core/errors.ts";
import { didYouMean } from "../../core/nearest-name.ts";
import type { Graph, Network, Tensor } from "../../ir/index.ts";

const parametersOf = (graph: Graph): Tensor[] =>
  graph.tensors.filter(({ role }) => role === "parameter");

/** Parameters of the layer that makes the logits. */
function headOf(graph: Graph): readonly number[] {
  const result = Object.values(graph.outputs)[0];
  const last = graph.nodes.find(({ outputs }) => outputs.includes(result!));
  return last?.inputs.filter((id) => graph.tensors[id]!.role === "parameter") ?? [];
}

/** "layer4.0.conv1.weight" -> "layer4", "layer4.0", "layer4.0.conv1" */
const modulesOf = ({ name }: Tensor): string[] =>
  name
    .split(".")
    .slice(0, -1)
    .map((_, i, parts) => parts.slice(0, i + 1).join("."));

/**
 * The graph with every parameter frozen that is declared before the first one of `trainFrom`: a
 * module's name ("layer4", "features.8"), "head" for the layer that makes the logits, or "all".
 * What a user has frozen stays so.
 * @throws ArgumentError for a module that the network does not have, with the nearest
 */
export function freeze(graph: Graph, trainFrom = "all"): Graph {
  if (trainFrom === "all") return graph;
  const first = firstTrained(graph, trainFrom);
  const tensors = graph.tensors.map((tensor) =>
    tensor.role === "parameter" && tensor.id < first ? { ...tensor, trainable: false } : tensor,
  );
  return { ...graph, tensors };
}

/** Names of the parameters that are trained, in order. @throws ArgumentError as freeze does */
export const trainedParameters = (network: Network, trainFrom?: string): string[] =>
  parametersOf(freeze(network.build(1), trainFrom))
    .filter(({ trainable }) => trainable !== false)
    .map(({ name }) => name);

/** Id of the first parameter that is trained; ids follow the order of declaration. */
function firstTrained(graph: Graph, trainFrom: string): number {
  const parameters = parametersOf(graph);
  const trained =
    trainFrom === "head"
      ? headOf(graph)
      : parameters.filter((each) => modulesOf(each).includes(trainFrom)).map(({ id }) => id);
  if (trained.length > 0) return Math.min(...trained);
  const known = [...new Set(parameters.flatMap(modulesOf))];
  const topLevel = known.filter((name) => !name.includes("."));
  throw new ArgumentError(
    `${graph.name}: there is no module "${trainFrom}" with parameters to train from${didYouMean(trainFrom, ["all", "head", ...known])} Known: all, head, ${topLevel.join(", ")}, and what is inside them`,
  );
}
