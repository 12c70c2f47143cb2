/** @file A checkpoint as an ONNX model that carries all that its user must know. */

import { encodeOnnx } from "../formats/index.ts";
import { readStoredNetwork } from "./stored-network.ts";

export interface ExportOptions {
  /** Path of best.safetensors or last.safetensors of a trial. */
  readonly checkpoint: string;
  /** Output "probabilities" in place of "logits"; default true. */
  readonly softmax?: boolean;
}

/**
 * The bytes of an ONNX file: input "images" (batch, channels, size, size), float32, of
 * (pixel / 255 - mean) / std; its metadata hold classes, mean, std, size, channels, preprocessing.
 * The weights are those that `predict` takes.
 * @throws WeightsError where the checkpoint cannot be read, its graph is none, its weights do not fit it or
 *   are no finite numbers, or it holds what ONNX has no operator for
 */
export async function exportOnnx(options: ExportOptions): Promise<Uint8Array> {
  const { weights, metadata, network } = await readStoredNetwork(options.checkpoint);
  const { classes, mean, std, size, channels, preprocessing, model, dataset } = metadata;
  const described = { classes, mean, std, size, channels, preprocessing, model, dataset };
  return encodeOnnx({
    graph: network.build(1),
    tensors: weights,
    softmax: options.softmax ?? true,
    metadata: Object.fromEntries(
      Object.entries(described).map(([key, value]) => [key, JSON.stringify(value)]),
    ),
  });
}
