/**
 * @file Which tensors are bf16: all that a network computes for each example (activations, and the
 * gradients that flow back through them), and the copies of weights that a product reads. What one
 * value a channel suffices for stays f32: biases, scales, statistics; so do the parameters themselves,
 * their gradients, the loss and the optimizer's state. So a sum is taken, and a weight moved, in f32.
 *
 * Where a node reads another type than a tensor has, the layout pass puts a reorder, as it does for
 * layouts: the images, the gradient of the logits, and each weight once a step for all that read it.
 * Source: Micikevicius et al., "Mixed precision training", 2018, section 3.1; bfloat16 has float32's
 * range, so that no loss is scaled (Kalamkar et al., "A study of BFLOAT16 for deep learning", 2019).
 */

import { ArgumentError } from "../../core/errors.ts";
import { consumers, type Graph, type Node, type Tensor } from "../../ir/index.ts";
import { linear, opNamed } from "../../ops/index.ts";
import type { Backend, DType } from "../../program/index.ts";

export const PRECISIONS = ["fp32", "bf16"] as const;
export type Precision = (typeof PRECISIONS)[number];

/** @throws ArgumentError for an unknown precision, or one that the backend cannot compute in */
export function checkPrecision(
  subject: string,
  backend: Pick<Backend, "capabilities" | "description">,
  precision: Precision = "fp32",
): void {
  if (!PRECISIONS.includes(precision))
    throw new ArgumentError(
      `${subject}: precision must be "fp32" or "bf16"; got "${String(precision)}"`,
    );
  if (precision === "bf16" && !backend.capabilities.bf16)
    throw new ArgumentError(
      `${subject}: precision "bf16" needs a processor with AVX512-BF16 or AMX, which this one is not (${backend.description}); use "fp32"`,
    );
}

const isFloating = ({ dtype }: Tensor) => dtype === "f32" || dtype === "bf16";

/** A value of each example, or a weight: what may be bf16. */
const isWide = (tensor: Tensor) => isFloating(tensor) && tensor.shape.length >= 2;

/** The type in which a node reads a tensor. */
export function readType(node: Node, tensor: Tensor, precision: Precision): DType {
  if (precision === "fp32" || !isWide(tensor)) return tensor.dtype;
  return opNamed(node.op).fullPrecision === "operands" ? "f32" : "bf16";
}

/** The graph with the element types of a precision; its nodes are the same. */
export function withElementTypes<G extends Graph>(graph: G, precision: Precision): G {
  if (precision === "fp32") return graph;
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((id) => [id, node])));
  const isNarrow = (tensor: Tensor) => {
    const maker = makers.get(tensor.id);
    if (!maker || !isWide(tensor) || opNamed(maker.op).fullPrecision) return false;
    // Logits are never rounded: the product that makes them can write f32.
    return maker.op !== linear.name || consumers(graph, tensor.id).some(readsNarrow);
  };
  const tensors = graph.tensors.map((tensor) =>
    isNarrow(tensor) ? { ...tensor, dtype: "bf16" as const } : tensor,
  );
  return { ...graph, tensors };
}

const readsNarrow = ({ op }: Node) => opNamed(op).fullPrecision !== "operands";
