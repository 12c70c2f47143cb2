/**
 * @file Reverse-mode differentiation of a graph's loss: the nodes are walked backwards, each op's
 * own `backward` emits its gradient ops, and gradients that meet at a fan-out are added.
 */

import { ArgumentError, InternalError } from "../../core/errors.ts";
import type { Shape } from "../../core/shapes.ts";
import {
  type AnyOp,
  type BackwardContext,
  byName,
  type DifferentiatedGraph,
  type Graph,
  GraphBuilder,
  inferShapes,
  isOptional,
  type Node,
  operandName,
  type Tensor,
} from "../../ir/index.ts";
import { add, opNamed } from "../../ops/index.ts";
import { needingGradient, trim } from "./trim.ts";

/** The graph with the gradient of its output "loss" with respect to each trainable parameter. */
export function differentiate(graph: Graph): DifferentiatedGraph {
  const builder = GraphBuilder.extend(graph);
  const needing = needingGradient(graph);
  const gradients = new Map<number, Tensor>();

  const accumulate = (id: number, gradient: Tensor, layer: string) => {
    const earlier = gradients.get(id);
    const sum =
      earlier && builder.emit(add, layer, { a: earlier, b: gradient }, { y: gradient.shape }, {});
    gradients.set(id, sum ? sum.y! : gradient);
  };

  for (let index = graph.nodes.length - 1; index >= 0; index--) {
    const forward = graph.nodes[index]!;
    const isLoss = forward.outputs[0] === graph.outputs.loss;
    const reached = isLoss || forward.outputs.some((id) => gradients.has(id));
    if (!reached || !forward.inputs.some((id) => needing.has(id))) continue;
    const op = opNamed(forward.op);
    if (!op.backward)
      throw new ArgumentError(
        `${op.name} "${forward.layer}": has no derivative; freeze the layers before it too, or thaw it`,
      );
    const node = withSavedOutputs(builder, index, op);
    const made = op.backward(contextOf({ builder, op, node, gradients, needing }));
    for (const [name, gradient] of Object.entries(made)) {
      const id = byName(op.inputs, node.inputs)[name];
      if (gradient && id !== undefined && needing.has(id))
        accumulate(id, gradient as Tensor, node.layer);
    }
  }

  const trainable = graph.tensors.filter(
    ({ role, trainable }) => role === "parameter" && trainable,
  );
  const ofParameters = trainable.map(({ id, name }) => {
    const gradient = gradients.get(id);
    if (!gradient)
      throw new ArgumentError(
        `${graph.name}: parameter "${name}" does not influence the loss; remove it or freeze it`,
      );
    return [id, gradient.id] as const;
  });
  const { name, batch, outputs } = graph;
  const { tensors, nodes } = builder;
  return trim({ name, batch, tensors, nodes, outputs, gradients: new Map(ofParameters) });
}

/** Optional outputs, such as a pooling's workspace, are made where the derivative saves them. */
function withSavedOutputs(builder: GraphBuilder, index: number, op: AnyOp): Node {
  const node = builder.nodes[index]!;
  const missing = (op.outputs as readonly string[])
    .slice(node.outputs.length)
    .filter((declared) => isOptional(declared) && op.saves?.includes(operandName(declared)));
  if (missing.length === 0) return node;
  const inputs = node.inputs.map((id) => builder.tensors[id]!);
  const shapes = inferShapes(op, node.layer, inputs, node.attributes);
  const made = missing.map((declared) => {
    const name = operandName(declared);
    return builder.value(`${node.layer}:${name}`, shapes[name]!, op.dtypes?.[name]).id;
  });
  const grown = { ...node, outputs: [...node.outputs, ...made] };
  builder.nodes[index] = grown;
  return grown;
}

// biome-ignore lint/suspicious/noExplicitAny: operand names are known to the op alone
type ErasedContext = BackwardContext<any, any, any>;

interface Step {
  readonly builder: GraphBuilder;
  readonly op: AnyOp;
  readonly node: Node;
  readonly gradients: ReadonlyMap<number, Tensor>;
  readonly needing: ReadonlySet<number>;
}

/** What an op's `backward` is given; the op's own types are erased here, as it was found by name. */
function contextOf({ builder, op, node, gradients, needing }: Step): ErasedContext {
  const inputs = byName(op.inputs, node.inputs);
  const outputs = byName(op.outputs, node.outputs);
  const operands: Record<string, Tensor> = {};
  const shapes: Record<string, Shape> = {};
  for (const [name, id] of Object.entries({ ...inputs, ...outputs })) {
    const tensor = builder.tensors[id]!;
    shapes[name] = tensor.shape;
    if (op.saves?.includes(name)) operands[name] = tensor;
  }
  const ofOutputs = Object.entries(outputs).map(([name, id]) => [name, gradients.get(id)] as const);
  const context = {
    saved: operands,
    shapes,
    gradients: Object.fromEntries(ofOutputs.filter(([, gradient]) => gradient)),
    attributes: node.attributes,
    wants(name: string) {
      const id = inputs[name];
      return id !== undefined && needing.has(id);
    },
    emit(
      gradientOp: AnyOp,
      given: Record<string, Tensor>,
      shapesOf: Record<string, Shape>,
      attributes = {},
    ) {
      if (!gradientOp.gradient) throw new InternalError(`${gradientOp.name} is not a gradient op`);
      return builder.emit(gradientOp, node.layer, given, shapesOf, attributes);
    },
  };
  return context as unknown as ErasedContext;
}
