/**
 * @file CIFAR-10's binary version: records of one label byte and 3,072 bytes of 32 x 32 planes, red,
 * green, blue. Format: cs.toronto.edu/~kriz/cifar.html, "Binary version".
 */

import { readdirSync } from "node:fs";
import { basename, resolve } from "node:path";
import { DataError } from "../../core/errors.ts";
import { type Source, TRAIN, VALIDATION } from "../../data/source.ts";
import { type PackedBlock, packedSource } from "./packed-source.ts";
import { readSourceFile } from "./read-source-file.ts";

const pixelsPerPlane = 32 * 32;
const record = 1 + 3 * pixelsPerPlane;

/** Whether a folder holds CIFAR-10 binaries. */
export const hasCifarFiles = (names: readonly string[]) =>
  names.some((name) => /^data_batch_\d+\.bin$/.test(name));

/**
 * @param path a folder of data_batch_*.bin, test_batch.bin (the validation part, where present) and
 *   batches.meta.txt (class names, where present)
 * @throws DataError for files that are not whole records, or labels without a class
 */
export function cifarSource(path: string, name = basename(resolve(path))): Source {
  const root = resolve(path);
  const names = readdirSync(root).sort();
  const read = (file: string, part: number): PackedBlock => {
    const data = readSourceFile(root, name, file);
    if (data.length === 0 || data.length % record !== 0)
      throw new DataError(
        `${name}: ${file} has ${data.length} bytes, which is no multiple of ${record}; fetch the file again`,
      );
    return {
      data,
      shape: { width: 32, height: 32, channels: 3, base: 1, stride: record, planar: true },
      labels: Uint8Array.from({ length: data.length / record }, (_, i) =>
        data.readUInt8(i * record),
      ),
      part,
    };
  };
  const blocks = names
    .filter((file) => /^data_batch_\d+\.bin$/.test(file))
    .map((file) => read(file, TRAIN));
  const given = names.includes("test_batch.bin");
  if (given) blocks.push(read("test_batch.bin", VALIDATION));
  const classes = names.includes("batches.meta.txt")
    ? readSourceFile(root, name, "batches.meta.txt")
        .toString("utf8")
        .split("\n")
        .map((line) => line.trim())
        .filter(Boolean)
    : Array.from({ length: 10 }, (_, label) => String(label));
  const highest = Math.max(
    ...blocks.map(({ labels }) => labels.reduce((a, b) => Math.max(a, b), 0)),
  );
  if (highest >= classes.length)
    throw new DataError(
      `${name}: label ${highest} is not among its ${classes.length} classes; is this CIFAR-10's binary version?`,
    );
  return packedSource({
    name,
    classes,
    channels: 3,
    augmentation: "photos",
    defaultSize: 32,
    blocks,
    given,
  });
}
