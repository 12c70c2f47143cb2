/** @file Grows a graph: declares tensors, applies ops with inferred shapes, emits gradient ops. */

import { get } from "../core/at.ts";
import { InternalError, ShapeError } from "../core/errors.ts";
import type { Initializer } from "../core/initializer.ts";
import type { Shape } from "../core/shapes.ts";
import type { Attributes, DType, Graph, Node, Tensor } from "./graph.ts";
import {
  type AnyOp,
  byName,
  failAt,
  isOptional,
  type Op,
  type Operands,
  operandName,
} from "./op.ts";

export class GraphBuilder {
  readonly name: string;
  readonly batch: number;
  readonly tensors: Tensor[];
  readonly nodes: Node[];

  constructor(
    name: string,
    batch: number,
    start: Pick<Graph, "tensors" | "nodes"> = { tensors: [], nodes: [] },
  ) {
    this.name = name;
    this.batch = batch;
    this.tensors = [...start.tensors];
    this.nodes = [...start.nodes];
  }

  /** Go on from a finished graph. */
  static extend(graph: Graph): GraphBuilder {
    return new GraphBuilder(graph.name, graph.batch, graph);
  }

  #declare(tensor: Omit<Tensor, "id">): Tensor {
    const declared = { id: this.tensors.length, ...tensor };
    this.tensors.push(declared);
    return declared;
  }

  #declareNamed(tensor: Omit<Tensor, "id">): Tensor {
    if (this.tensors.some(({ name, role }) => role !== "value" && name === tensor.name))
      throw new ShapeError(
        `${this.name}: two tensors are called "${tensor.name}"; give each layer a name of its own`,
      );
    return this.#declare(tensor);
  }

  /** (B,C,H,W) f32 */
  images(shape: Shape): Tensor {
    return this.#declareNamed({ name: "images", role: "images", shape, dtype: "f32" });
  }

  /** (B) i32; -1 leaves a row out. */
  labels(): Tensor {
    return this.#declareNamed({
      name: "labels",
      role: "labels",
      shape: [this.batch],
      dtype: "i32",
    });
  }

  parameter(name: string, shape: Shape, initializer: Initializer, trainable = true): Tensor {
    return this.#declareNamed({
      name,
      role: "parameter",
      shape,
      dtype: "f32",
      initializer,
      trainable,
    });
  }

  statistic(name: string, shape: Shape, value: number): Tensor {
    const initializer = { kind: "constant", value } as const;
    return this.#declareNamed({ name, role: "statistic", shape, dtype: "f32", initializer });
  }

  constant(name: string, values: readonly number[]): Tensor {
    return this.#declareNamed({
      name,
      role: "constant",
      shape: [values.length],
      dtype: "f32",
      values,
    });
  }

  value(name: string, shape: Shape, dtype: DType = "f32"): Tensor {
    return this.#declare({ name, role: "value", shape, dtype });
  }

  /** How many nodes apply an op so far: the ordinal of the next. */
  count(op: { readonly name: string }): number {
    return this.nodes.filter((node) => node.op === op.name).length;
  }

  /**
   * Apply an op: infers the shapes of its required outputs and returns them by name.
   * @throws ShapeError beginning with the op and the layer
   */
  apply<N extends string, O extends string, A extends Attributes>(
    op: Op<N, O, A>,
    layer: string,
    inputs: Operands<N, Tensor>,
    attributes: A,
  ): Operands<O, Tensor> {
    const given = this.#inOrder(op, inputs as Readonly<Record<string, Tensor | undefined>>);
    const shapes = inferShapes(op, layer, given, attributes);
    const required = op.outputs.filter((declared) => !isOptional(declared));
    const outputs = required.map((name) =>
      this.value(`${layer}:${name}`, get(shapes, name, "shapes"), op.dtypes?.[name]),
    );
    this.#push(op, layer, given, outputs, attributes);
    return byName(required, outputs) as Operands<O, Tensor>;
  }

  /** Add a node whose output shapes are known; returns the outputs by name. */
  emit(
    op: AnyOp,
    layer: string,
    inputs: Readonly<Record<string, Tensor | undefined>>,
    outputs: Readonly<Record<string, Shape | undefined>>,
    attributes: Attributes,
  ): Record<string, Tensor> {
    const made: Record<string, Tensor> = {};
    for (const declared of op.outputs as readonly string[]) {
      const name = operandName(declared);
      const shape = outputs[name];
      if (shape) made[name] = this.value(`${layer}:${name}`, shape, op.dtypes?.[name]);
    }
    this.#push(op, layer, this.#inOrder(op, inputs), Object.values(made), attributes);
    return made;
  }

  #inOrder(op: AnyOp, inputs: Readonly<Record<string, Tensor | undefined>>): Tensor[] {
    const list = (op.inputs as readonly string[]).map((declared) => {
      const tensor = inputs[operandName(declared)];
      if (!tensor && !isOptional(declared))
        throw new InternalError(`${op.name}: no operand ${declared}`);
      return tensor;
    });
    return list.filter((tensor) => tensor !== undefined);
  }

  #push(
    op: AnyOp,
    layer: string,
    inputs: Tensor[],
    outputs: Tensor[],
    attributes: Attributes,
  ): void {
    const ids = (tensors: Tensor[]) => tensors.map(({ id }) => id);
    this.nodes.push({ op: op.name, layer, inputs: ids(inputs), outputs: ids(outputs), attributes });
  }

  finish(outputs: Readonly<Record<string, Tensor>>): Graph {
    const { name, batch, tensors, nodes } = this;
    const ids = Object.entries(outputs).map(([output, tensor]) => [output, tensor.id] as const);
    return { name, batch, tensors, nodes, outputs: Object.fromEntries(ids) };
  }
}

/** Shapes of all outputs of an op, optional ones included, by name without the "?". */
export function inferShapes(
  op: AnyOp,
  layer: string,
  inputs: readonly Tensor[],
  attributes: Attributes,
): Record<string, Shape> {
  if (!op.infer) throw new InternalError(`${op.name} has no shape rule`);
  const shapes = inputs.map(({ shape }) => shape);
  return op.infer(byName(op.inputs, shapes), { attributes, fail: failAt(op.name, layer) });
}
