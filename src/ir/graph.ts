/**
 * @file The intermediate representation: tensors with logical shapes, and nodes that apply an op to
 * some of them, in the order in which they run. Plain data; a pass takes a graph and returns another.
 */

import type { Initializer } from "../core/initializer.ts";
import type { Shape } from "../core/shapes.ts";

/** What a network's layers make is f32; the compiler's precision pass makes bf16 of some of it. */
export type DType = "f32" | "bf16" | "i32" | "u8";

export type AttributeValue = number | boolean | string | readonly number[];

export type Attributes = Readonly<Record<string, AttributeValue>>;

/**
 * - images, labels: a batch, given from outside
 * - parameter: trained by the optimizer
 * - statistic: running mean or variance, updated by the op that uses it
 * - constant: given values once, e.g. class weights
 * - folded: computed from parameters and statistics that a program does not change, once they are written
 * - value: computed by a node
 */
export type TensorRole =
  | "images"
  | "labels"
  | "parameter"
  | "statistic"
  | "constant"
  | "folded"
  | "value";

/**
 * A convolution's weight or bias with the batch norm behind it folded in. With
 * s = gamma / sqrt(variance + epsilon): weight s, and beta + (bias - mean) s. Tensors by id.
 */
export interface Fold {
  readonly part: "weight" | "bias";
  readonly weight: number;
  readonly bias?: number;
  readonly gamma: number;
  readonly beta: number;
  readonly mean: number;
  readonly variance: number;
  readonly epsilon: number;
}

export interface Tensor {
  /** Index into Graph.tensors. */
  readonly id: number;
  readonly name: string;
  readonly role: TensorRole;
  readonly shape: Shape;
  readonly dtype: DType;
  /** Of parameters and statistics. */
  readonly initializer?: Initializer;
  /** Of parameters: false freezes it. */
  readonly trainable?: boolean;
  /** Of constants, in logical order. */
  readonly values?: readonly number[];
  /** Of role "folded". */
  readonly fold?: Fold;
  /** Of parameters: keys the initializer's stream; default: the place among the graph's parameters. */
  readonly ordinal?: number;
}

export interface Node {
  /** Name of an op, found in ops/index.ts. */
  readonly op: string;
  /** The layer it came from: "features.4". */
  readonly layer: string;
  /** Tensor ids, in the order of the op's operand names; optional operands come last. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly attributes: Attributes;
}

/** A network as plain data: tensors, and the ops that make them from each other, in order. */
export interface Graph {
  readonly name: string;
  /** Examples in a batch. */
  readonly batch: number;
  readonly tensors: readonly Tensor[];
  readonly nodes: readonly Node[];
  /** Tensor ids by name. */
  readonly outputs: Readonly<Record<string, number>>;
}

/** A graph with the gradients of its loss. */
export interface DifferentiatedGraph extends Graph {
  /** Gradient tensor of each trainable parameter, by the parameter's id, in order of declaration. */
  readonly gradients: ReadonlyMap<number, number>;
}

/** Index of the node that reads each tensor last, by tensor id; graph outputs count as read at the end. */
export function lastUses(graph: Pick<Graph, "nodes" | "outputs">): Map<number, number> {
  const last = new Map<number, number>();
  graph.nodes.forEach((node, index) => {
    for (const id of node.inputs) last.set(id, index);
  });
  for (const id of Object.values(graph.outputs)) last.set(id, graph.nodes.length);
  return last;
}

/** The nodes that read a tensor. */
export const consumers = (graph: Pick<Graph, "nodes">, id: number): Node[] =>
  graph.nodes.filter((node) => node.inputs.includes(id));
