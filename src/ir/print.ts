/** @file A graph as text, one node a line. */

import { at } from "../core/at.ts";
import { formatShape } from "../core/shapes.ts";
import type { Attributes, Graph } from "./graph.ts";

/** "stride=[1, 1] relu=true" */
export const formatAttributes = (attributes: Attributes): string =>
  Object.entries(attributes)
    .map(([key, value]) => `${key}=${typeof value === "object" ? formatShape(value) : value}`)
    .join(" ");

/** E.g. `features.0:y [64, 32, 128, 128] = conv2d(images, features.0.weight) stride=[1, 1]`. */
export function printGraph(graph: Graph): string {
  const tensor = (id: number) => at(graph.tensors, id, "tensors");
  const name = (id: number) => tensor(id).name;
  const result = (id: number) => `${name(id)} ${formatShape(tensor(id).shape)}`;
  const lines = graph.nodes.map(({ op, inputs, outputs, attributes }) =>
    `${outputs.map(result).join(", ")} = ${op}(${inputs.map(name).join(", ")}) ${formatAttributes(attributes)}`.trimEnd(),
  );
  const outputs = Object.entries(graph.outputs).map(([key, id]) => `${key}: ${name(id)}`);
  return [
    `graph ${graph.name}, batch ${graph.batch}`,
    ...lines,
    `outputs ${outputs.join(", ")}`,
  ].join("\n");
}
