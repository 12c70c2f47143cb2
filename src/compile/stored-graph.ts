/**
 * @file Whether a graph that was read from a file is a network: every op known, every attribute in its
 * domain, every operand there before it is read, and every shape the one that its op infers. The passes
 * and the backends take all of that for granted.
 */

import { z } from "zod";
import { LrscopeError } from "../core/errors.ts";
import { elementCount, formatShape, type Shape, sameShape } from "../core/shapes.ts";
import {
  type AnyOp,
  type Graph,
  inferShapes,
  isOptional,
  type Node,
  operandName,
  type Tensor,
} from "../ir/index.ts";
import { opNamed } from "../ops/index.ts";
import type { LayerOp } from "../program/index.ts";

const pairOf = (extent: z.ZodNumber | z.ZodInt) => z.array(extent).length(2);
const positive = pairOf(z.int().min(1));
const nonNegative = pairOf(z.int().min(0));

const none = z.strictObject({});

/** Attributes of the ops that layers make; no others are in a network before it is compiled. */
const ATTRIBUTES: Readonly<Record<LayerOp, z.ZodType>> = {
  conv2d: z.strictObject({
    stride: positive,
    padding: nonNegative,
    paddingAfter: nonNegative.optional(),
    groups: z.int().min(1).optional(),
  }),
  batchNorm: z.strictObject({ epsilon: z.number().positive(), momentum: z.number() }),
  maxPool2d: z.strictObject({ kernel: positive, stride: positive, padding: nonNegative }),
  adaptiveAveragePool2d: z.strictObject({ outputSize: positive }),
  dropout: z.strictObject({ p: z.number().min(0).lt(1), layerIndex: z.int().min(0) }),
  linear: none,
  add: none,
  relu: none,
  relu6: none,
  flatten: none,
  globalAveragePool: none,
};

/** Values that a network may make of one image: as many, or so many times those of image and weights. */
const VALUES_FREELY = 2 ** 26;
const VALUES_PER_ELEMENT = 4096;

/** What a network takes and gives. */
export interface NetworkEnds {
  /** [channels, height, width] of an image. */
  readonly inputShape: Shape;
  readonly classes: number;
}

/** What is wrong with the graph; null where nothing is. Nothing in it is taken for granted but its types. */
export function faultOfGraph(graph: Graph, ends: NetworkEnds): string | null {
  try {
    checkTensors(graph, ends);
    const made = new Set<number>();
    for (const node of graph.nodes) checkNode(graph, node, made);
    checkAmount(graph, ends);
    checkLogits(graph, ends, made);
    return null;
  } catch (error) {
    if (error instanceof LrscopeError || error instanceof Fault) return error.message;
    throw error;
  }
}

class Fault extends Error {}

const fail = (message: string): never => {
  throw new Fault(message);
};

function checkTensors({ batch, tensors }: Graph, { inputShape }: NetworkEnds): void {
  const names = new Set<string>();
  for (const [i, { id, name, role, shape }] of tensors.entries()) {
    if (id !== i) fail(`tensor ${i} is numbered ${id}`);
    if (!Number.isSafeInteger(elementCount(shape))) fail(`tensor ${i} is ${formatShape(shape)}`);
    if (role === "value") continue;
    if (names.has(name)) fail(`two tensors are called "${name}"`);
    names.add(name);
  }
  const images = tensors.filter(({ role }) => role === "images");
  const wanted = [batch, ...inputShape];
  if (images.length !== 1 || !sameShape(images[0]!.shape, wanted))
    fail(
      `it must take images ${formatShape(wanted)}; it takes ${images.map(({ shape }) => formatShape(shape)).join(" and ") || "none"}`,
    );
}

/** The op's own shape rule, on operands that are there, gives the shapes that are stored. */
function checkNode(graph: Graph, node: Node, made: Set<number>): void {
  const { layer, attributes } = node;
  const label = `${node.op} "${layer}"`;
  const allowed = Object.hasOwn(ATTRIBUTES, node.op)
    ? ATTRIBUTES[node.op as LayerOp]
    : fail(`"${node.op}" is no op of a network`);
  const op = opNamed(node.op);
  if (!allowed.safeParse(attributes).success)
    fail(`${label} has attributes ${JSON.stringify(attributes)}`);
  const inputs = operands(graph, node, op, made);
  const shapes = inferShapes(op, layer, inputs, attributes);
  const outputs = (op.outputs as readonly string[]).filter((declared) => !isOptional(declared));
  if (node.outputs.length !== outputs.length)
    fail(`${label} has ${node.outputs.length} outputs, not ${outputs.length}`);
  for (const [i, id] of node.outputs.entries()) {
    const inferred = shapes[operandName(outputs[i]!)]!;
    const tensor = graph.tensors[id] ?? fail(`${label} makes tensor ${id}, which is not there`);
    if (tensor.role !== "value" || made.has(id))
      fail(`${label} makes tensor ${id}, which something else is or makes`);
    if (!sameShape(inferred, tensor.shape))
      fail(`${label} makes ${formatShape(inferred)}; stored is ${formatShape(tensor.shape)}`);
    made.add(id);
  }
}

function operands(graph: Graph, node: Node, op: AnyOp, made: ReadonlySet<number>): Tensor[] {
  const label = `${node.op} "${node.layer}"`;
  const declared = op.inputs as readonly string[];
  const required = declared.filter((name) => !isOptional(name)).length;
  if (node.inputs.length < required || node.inputs.length > declared.length)
    fail(`${label} has ${node.inputs.length} operands`);
  return node.inputs.map((id) => {
    const tensor = graph.tensors[id] ?? fail(`${label} reads tensor ${id}, which is not there`);
    if (tensor.role === "value" && !made.has(id))
      fail(`${label} reads tensor ${id} before it is made`);
    return tensor;
  });
}

function checkLogits(
  { batch, tensors, outputs }: Graph,
  { classes }: NetworkEnds,
  made: ReadonlySet<number>,
): void {
  const logits = Object.hasOwn(outputs, "logits") ? tensors[outputs.logits!] : undefined;
  for (const [name, id] of Object.entries(outputs))
    if (!made.has(id)) fail(`its output "${name}" is tensor ${id}, which no node makes`);
  if (!logits || !sameShape(logits.shape, [batch, classes]))
    fail(
      `it must give logits ${formatShape([batch, classes])}, one a class; it gives ${logits ? formatShape(logits.shape) : "none"}`,
    );
}

/** A padding of a million is allowed by every shape rule, and no memory holds what it makes. */
function checkAmount({ batch, tensors }: Graph, { inputShape }: NetworkEnds): void {
  const sum = (roles: readonly string[]) =>
    tensors.reduce(
      (total, { role, shape }) => total + (roles.includes(role) ? elementCount(shape) : 0),
      0,
    );
  const image = elementCount(inputShape);
  const values = sum(["value"]) / batch;
  const weights = sum(["parameter", "statistic"]);
  const most = Math.max(VALUES_FREELY, VALUES_PER_ELEMENT * (image + weights));
  if (image > VALUES_FREELY || values > most)
    fail(
      `it would make ${values} values of an image of ${image}, with ${weights} weights; at most ${most}, of an image of at most ${VALUES_FREELY}, are made`,
    );
}
