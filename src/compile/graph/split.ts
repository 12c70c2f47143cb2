/**
 * @file A network cut in two where training begins: what does not depend on a trained parameter, nor
 * on a draw, and the rest as a network of its own whose images are the first part's features. The
 * first part need only be run once for each image, and its features may be kept.
 */

import { ArgumentError } from "../../core/errors.ts";
import type { Shape } from "../../core/shapes.ts";
import { consumers, type Graph, type Network, type Node, type Tensor } from "../../ir/index.ts";
import { dropout, flatten } from "../../ops/index.ts";
import { freeze } from "./freeze.ts";

/** The frozen part of a network. */
export interface Prefix {
  readonly name: string;
  /** [channels, height, width] of an image. */
  readonly inputShape: readonly [number, number, number];
  /** Of the features of one image: [channels, height, width], or [features, 1, 1]. */
  readonly featureShape: readonly [number, number, number];
  /** Input "images" (B,C,H,W), output "features" (B,...). */
  build(batch: number): Graph;
}

/** Both parts; parameters keep their names, and `rest` its initial weights of a seed. */
export interface SplitNetwork {
  readonly prefix: Prefix;
  readonly rest: Network;
}

/**
 * Split a network before the first part that is trained: a module ("layer4"), or "head". The rest
 * after the prefix computes what the whole network with this `trainFrom` does. Batch norms of the
 * prefix are in evaluation mode.
 * @throws ArgumentError for an unknown module, where nothing comes before it, or where more than one
 *   tensor crosses from one part to the other
 */
export function splitNetwork(network: Network, trainFrom: string): SplitNetwork {
  const { name, inputShape, classes } = network;
  const shape = cut(network, 1, trainFrom).features.shape.slice(1);
  const featureShape = [shape[0]!, shape[1] ?? 1, shape[2] ?? 1] as const;
  return {
    prefix: {
      name: `${name} before ${trainFrom}`,
      inputShape,
      featureShape,
      build: (batch) => prefixGraph(cut(network, batch, trainFrom)),
    },
    rest: {
      name,
      inputShape: featureShape,
      classes,
      build: (batch) => restGraph(cut(network, batch, trainFrom), featureShape),
    },
  };
}

interface Cut {
  readonly graph: Graph;
  readonly before: readonly Node[];
  readonly after: readonly Node[];
  readonly features: Tensor;
}

function cut(network: Network, batch: number, trainFrom: string): Cut {
  const built = network.build(batch);
  const graph = freeze(built, trainFrom);
  const moving = new Set(
    graph.tensors
      .filter(({ role, trainable }) => role === "parameter" && trainable !== false)
      .map(({ id }) => id),
  );
  for (const node of graph.nodes)
    if (node.op === dropout.name || node.inputs.some((id) => moving.has(id)))
      for (const id of node.outputs) moving.add(id);
  // A flatten at the seam is no work: the features keep their shape.
  const isAfter = ({ op, outputs }: Node): boolean =>
    moving.has(outputs[0]!) ||
    (op === flatten.name && consumers(graph, outputs[0]!).every((reader) => isAfter(reader)));
  const before = graph.nodes.filter((node) => !isAfter(node));
  const after = graph.nodes.filter(isAfter);
  const made = new Set(before.flatMap(({ outputs }) => outputs));
  const crossing = new Set(after.flatMap(({ inputs }) => inputs).filter((id) => made.has(id)));
  if (before.length === 0 || crossing.size !== 1)
    throw new ArgumentError(
      `${network.name}: cannot be split before "${trainFrom}": ${before.length === 0 ? "nothing comes before it" : `${crossing.size} tensors cross there, and only one can be handed over`}`,
    );
  const [features] = crossing;
  return { graph, before, after, features: graph.tensors[features!]! };
}

const prefixGraph = ({ graph, before, features }: Cut): Graph =>
  extract(graph, before, { features: features.id });

/** The features arrive as images; where they are vectors, a flatten makes them so. */
function restGraph({ graph, after, features }: Cut, featureShape: Shape): Graph {
  const isVector = features.shape.length === 2;
  const tensors = [...graph.tensors];
  const images: Tensor = {
    id: isVector ? tensors.length : features.id,
    name: "images",
    role: "images",
    shape: [graph.batch, ...featureShape],
    dtype: "f32",
  };
  tensors[images.id] = images;
  const flattened: Node = {
    op: flatten.name,
    layer: "features",
    inputs: [images.id],
    outputs: [features.id],
    attributes: {},
  };
  const nodes = isVector ? [flattened, ...after] : after;
  return extract({ ...graph, tensors }, nodes, graph.outputs);
}

/** The graph of some nodes alone, with the tensors that they use; parameters keep their ordinals. */
function extract(graph: Graph, nodes: readonly Node[], outputs: Graph["outputs"]): Graph {
  const parameters = graph.tensors.filter(({ role }) => role === "parameter");
  const ordinals = new Map(parameters.map(({ id }, i) => [id, i]));
  const used = new Set(nodes.flatMap((node) => [...node.inputs, ...node.outputs]));
  const kept = graph.tensors.filter(({ id }) => used.has(id));
  const idOf = new Map(kept.map(({ id }, i) => [id, i]));
  const renumber = (ids: readonly number[]) => ids.map((id) => idOf.get(id)!);
  const tensors = kept.map((tensor) => {
    const ordinal = tensor.ordinal ?? ordinals.get(tensor.id);
    return { ...tensor, id: idOf.get(tensor.id)!, ...(ordinal !== undefined && { ordinal }) };
  });
  return {
    name: graph.name,
    batch: graph.batch,
    tensors,
    nodes: nodes.map((node) => ({
      ...node,
      inputs: renumber(node.inputs),
      outputs: renumber(node.outputs),
    })),
    outputs: Object.fromEntries(
      Object.entries(outputs).map(([name, id]) => [name, idOf.get(id)!] as const),
    ),
  };
}
