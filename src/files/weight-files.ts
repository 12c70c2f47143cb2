/** @file Files of weights on disk: a reader that explains itself, a writer that leaves no half file. */

import { randomBytes } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { withCleanupLater } from "../core/cleanup.ts";
import { codeOf, WeightsError } from "../core/errors.ts";
import {
  type Checkpoint,
  decodeOnnx,
  decodeTorch,
  decodeWeights,
  encodeSafetensors,
  type ReadOptions,
  safetensorsFrom,
} from "../formats/index.ts";
import { withFile, zlibDecompressor } from "./open-weights.ts";

/**
 * Read a safetensors file, tensor by tensor.
 * @throws WeightsError where it is missing, unreadable or damaged; the message names the file
 */
export async function readSafetensors(path: string): Promise<Checkpoint> {
  return withFile(path, safetensorsFrom);
}

/** Reads a PyTorch file (.pth, .pt). @throws WeightsError where it is missing; as decodeTorch */
export const readTorch = (path: string): Checkpoint =>
  withFile(path, (source) => decodeTorch(source, zlibDecompressor));

/** Reads the weights of an ONNX file, and its metadata. @throws WeightsError where it is missing; as decodeOnnx */
export const readOnnx = (path: string): Checkpoint => withFile(path, decodeOnnx);

/**
 * Reads safetensors, PyTorch (.pth, .pt) or ONNX; the file's name does not matter.
 * @param options.wanted names of the network's parameters, by which a PyTorch file's dictionary is chosen
 * @throws WeightsError where it is missing, damaged or of another format
 */
export const readWeights = (path: string, options: ReadOptions = {}): Checkpoint =>
  withFile(path, (source) => decodeWeights(source, zlibDecompressor, options));

/** Write a safetensors file. @throws WeightsError as writeWeightsFile */
export const writeSafetensors = (path: string, checkpoint: Checkpoint): Promise<void> =>
  writeWeightsFile(path, encodeSafetensors(checkpoint));

/**
 * Write a file of weights: to a temporary name beside it, flushed to the disk, then renamed. A
 * crash or a full disk leaves the old file, or none, never a part of the new one.
 * @throws WeightsError (exit code 1) where it cannot be written
 */
export async function writeWeightsFile(path: string, bytes: Uint8Array): Promise<void> {
  const suffix = randomBytes(4).toString("hex");
  const temporary = join(dirname(path), `.${basename(path)}.${suffix}.tmp`);
  try {
    const handle = await open(temporary, "wx");
    await withCleanupLater(
      async () => {
        await handle.writeFile(bytes);
        await handle.sync();
      },
      () => handle.close(),
    );
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    const code = codeOf(error) ?? String(error);
    const remedy =
      {
        ENOSPC: "the disk is full: free some space",
        EDQUOT: "the disk quota is used up: free some space",
        EFBIG: "the system allows no file of this size: raise the limit or free some space",
        ENOENT: "its folder does not exist: make it first",
      }[code] ?? `${code}: check that its folder can be written`;
    throw new WeightsError(`cannot write checkpoint ${path}: ${remedy}`, {
      exitCode: 1,
      cause: error,
    });
  }
}
