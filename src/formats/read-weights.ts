/** @file Weights of any format that lrscope reads, told by its first bytes. */

import { WeightsError } from "../core/errors.ts";
import type { ByteSource } from "./byte-source.ts";
import type { Decompressor } from "./decompressor.ts";
import { decodeOnnx } from "./onnx-read.ts";
import { type Checkpoint, safetensorsFrom } from "./safetensors.ts";
import { decodeTorch, type ReadOptions } from "./torch-file.ts";
import { looksLikeZip } from "./zip.ts";

/**
 * Reads safetensors, PyTorch (.pth, .pt) or ONNX; the source's name does not matter.
 * @param decompressor of archives; default one in plain JavaScript
 * @param options.wanted names of the network's parameters, by which a PyTorch file's dictionary is chosen
 * @throws WeightsError where it is damaged or of another format
 */
export function decodeWeights(
  source: ByteSource,
  decompressor?: Decompressor,
  options: ReadOptions = {},
): Checkpoint {
  const start = source.read(0, Math.min(9, source.size));
  if (start.length < 9)
    throw new WeightsError(
      `${source.name}: has ${source.size} bytes, too few for weights of any format`,
    );
  if (looksLikeZip(start) || start[0] === 0x80) return decodeTorch(source, decompressor, options);
  // The header's length takes eight bytes, of which the last three are 0; then JSON begins.
  if (start[8] === 0x7b && start[6] === 0 && start[7] === 0) return safetensorsFrom(source);
  // A model's first field is its version of the format: field 1, an integer.
  if (start[0] === 0x08) return decodeOnnx(source);
  throw new WeightsError(
    `${source.name}: is neither safetensors nor PyTorch (.pth) nor ONNX by its first bytes; give one of these`,
  );
}
