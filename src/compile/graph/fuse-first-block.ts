/**
 * @file A network's first block as one instruction: convolution of the images, batch norm, ReLU and 2x2 max
 * pooling. An image has few channels, so that its convolution is little arithmetic and much memory: x, what it
 * writes, is the largest tensor of a step. All that is asked of x, forward and backward, follows from moments of
 * the images and from x at the pooled places, so that x need not be stored; docs/decisions/0035.
 */

import { elementCount, isShape4 } from "../../core/shapes.ts";
import { consumers, type DifferentiatedGraph, type Graph, type Node } from "../../ir/index.ts";
import {
  batchNormPoolBackward,
  batchNormPoolTrain,
  conv2d,
  conv2dBackwardWeights,
  conv2dNormPoolBackward,
  conv2dNormPoolTrain,
} from "../../ops/index.ts";
import { type Draft, remove, replace, soleProducer } from "./draft.ts";
import type { Precision } from "./precision.ts";

/** Nanoseconds of a machine, by rule: of a byte to or from memory, and of a multiplication and addition in float64. */
const BYTE_NS = 1 / 20;
const DOUBLE_NS = 1 / 60;

/** What fusing a first block saves and costs, in milliseconds by the rule above. */
export interface FirstBlockCost {
  readonly layer: string;
  /** Bytes of x and its derivative that are neither written nor read. */
  readonly savedBytes: number;
  readonly savedMs: number;
  /** Of the moments; the rest of the arithmetic is the same. */
  readonly addedMs: number;
}

export const gains = ({ addedMs, savedMs }: FirstBlockCost): boolean => addedMs < savedMs;

/** Kernels hold so many weights an output, and a multiple of so many outputs. */
const MOST_WEIGHTS = 63;
const OUTPUTS = 16;

/** The block's cost where it can be one; undefined where it cannot, whatever it costs. */
export function firstBlockCost(
  graph: Graph,
  norm: Node,
  precision: Precision,
): FirstBlockCost | undefined {
  const found = findBlock(graph, norm);
  if (!found) return undefined;
  const { convolution } = found;
  const weight = graph.tensors[convolution.inputs[1]!]!.shape;
  const x = graph.tensors[convolution.outputs[0]!]!.shape;
  // Forward x is written, read for its statistics and read again; backward it is read, and its derivative
  // written and read.
  const passes = found.backward ? 6 : 3;
  const savedBytes = passes * elementCount(x) * (precision === "bf16" ? 2 : 4);
  const products = (elementCount(x) / x[1]!) * productsOfMoments(weight);
  return {
    layer: convolution.layer,
    savedBytes,
    savedMs: savedBytes * BYTE_NS * 1e-6,
    addedMs: products * DOUBLE_NS * 1e-6,
  };
}

/**
 * Multiplications of the moments at a place: for each two channels one for each lag between two taps, and for each
 * channel and kernel column the sum.
 */
function productsOfMoments([, channels = 1, height = 1, width = 1]: readonly number[]): number {
  const lags = width + (height - 1) * (2 * width - 1);
  return channels * channels * lags + channels * width;
}

/** What the blocks of a graph would save and cost in one instruction, whether they gain by it or not. */
export const firstBlockCosts = (graph: Graph, precision: Precision = "fp32"): FirstBlockCost[] =>
  graph.nodes.flatMap((norm) => firstBlockCost(graph, norm, precision) ?? []);

/** Every first block that gains by it becomes one, both ways. */
export function fuseFirstBlock<G extends Graph | DifferentiatedGraph>(
  graph: G,
  precision: Precision = "fp32",
): G {
  const draft = { tensors: [...graph.tensors], nodes: [...graph.nodes], outputs: graph.outputs };
  for (const norm of graph.nodes) {
    const cost = firstBlockCost(graph, norm, precision);
    if (cost && gains(cost)) fuseBlock(draft, norm, findBlock(graph, norm)!);
  }
  return { ...graph, nodes: draft.nodes };
}

interface Block {
  readonly convolution: Node;
  readonly backward: { readonly ofNorm: Node; readonly ofWeights: Node } | undefined;
}

const is = (value: unknown, [h, w]: readonly [number, number]) =>
  Array.isArray(value) && value[0] === h && value[1] === w;

function findBlock(graph: Graph, norm: Node): Block | undefined {
  if (norm.op !== batchNormPoolTrain.name) return undefined;
  const { kernel, stride, padding } = norm.attributes;
  if (!is(kernel, [2, 2]) || !is(stride, [2, 2]) || !is(padding, [0, 0])) return undefined;
  const draft: Draft = {
    tensors: [...graph.tensors],
    nodes: [...graph.nodes],
    outputs: graph.outputs,
  };
  const x = norm.inputs[0]!;
  const convolution = draft.nodes.find(({ outputs }) => outputs.includes(x));
  if (convolution?.op !== conv2d.name || !fits(graph, convolution)) return undefined;
  if (soleProducer(draft, x))
    return norm.outputs.length === 3 ? { convolution, backward: undefined } : undefined;
  // Read by the batch norm and its derivative alone, whose result the weights' gradient alone reads.
  const [, ofNorm, ...others] = consumers(draft, x);
  if (ofNorm?.op !== batchNormPoolBackward.name || ofNorm.inputs[0] !== x || others.length > 0)
    return undefined;
  if (ofNorm.inputs[7] !== norm.outputs[3] || Object.values(graph.outputs).includes(x))
    return undefined;
  const [ofWeights, ...more] = consumers(draft, ofNorm.outputs[0]!);
  return ofWeights?.op === conv2dBackwardWeights.name && more.length === 0
    ? { convolution, backward: { ofNorm, ofWeights } }
    : undefined;
}

function fits(graph: Graph, { inputs, outputs, attributes }: Node): boolean {
  const [images, weight, x] = [inputs[0]!, inputs[1]!, outputs[0]!].map((id) => graph.tensors[id]!);
  if (images!.role !== "images" || !isShape4(x!.shape)) return false;
  const { groups = 1, stride, padding, paddingAfter, relu } = attributes;
  const kernel = weight!.shape.slice(2);
  const pads = padding as readonly number[];
  return (
    groups === 1 &&
    !relu &&
    paddingAfter === undefined &&
    is(stride, [1, 1]) &&
    pads.every((pad, i) => pad < kernel[i]!) &&
    x!.shape.slice(2).every((extent) => extent % 2 === 0) &&
    weight!.shape[0]! % OUTPUTS === 0 &&
    elementCount(weight!.shape.slice(1)) <= MOST_WEIGHTS
  );
}

function fuseBlock(draft: Draft, norm: Node, { convolution, backward }: Block): void {
  const [images, weight, ...bias] = convolution.inputs;
  const { padding } = convolution.attributes;
  const { epsilon, momentum, relu } = norm.attributes;
  replace(draft, norm, {
    ...norm,
    op: conv2dNormPoolTrain.name,
    inputs: [images!, weight!, ...norm.inputs.slice(1), ...bias],
    attributes: {
      padding: padding!,
      epsilon: epsilon!,
      momentum: momentum!,
      ...(relu && { relu }),
    },
  });
  remove(draft, convolution);
  if (!backward) return;
  const { ofNorm, ofWeights } = backward;
  const [, dy, gamma, , , variance, , workspace] = ofNorm.inputs;
  const [dweight, ...dbias] = ofWeights.outputs;
  replace(draft, ofNorm, {
    ...ofNorm,
    op: conv2dNormPoolBackward.name,
    inputs: [images!, weight!, dy!, gamma!, variance!, workspace!],
    outputs: [dweight!, ...ofNorm.outputs.slice(1), ...dbias],
    attributes: { padding: padding!, epsilon: epsilon! },
  });
  remove(draft, ofWeights);
}
