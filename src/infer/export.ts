/** @file A stored network as an ONNX model that carries all that its user must know. */

import { encodeOnnx } from "../formats/index.ts";
import type { StoredNetwork } from "./stored-network.ts";

/**
 * The bytes of an ONNX file: input "images" (batch, channels, size, size), float32, of
 * (pixel / 255 - mean) / std; its metadata hold classes, mean, std, size, channels, preprocessing.
 * @param options.softmax output "probabilities" in place of "logits"; default true
 * @throws WeightsError where the network holds what ONNX has no operator for
 */
export function onnxOf(
  { weights, metadata, network }: StoredNetwork,
  { softmax = true }: { readonly softmax?: boolean } = {},
): Uint8Array {
  const { classes, mean, std, size, channels, preprocessing, model, dataset } = metadata;
  const described = { classes, mean, std, size, channels, preprocessing, model, dataset };
  return encodeOnnx({
    graph: network.build(1),
    tensors: weights,
    softmax,
    metadata: Object.fromEntries(
      Object.entries(described).map(([key, value]) => [key, JSON.stringify(value)]),
    ),
  });
}
