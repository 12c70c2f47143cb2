/**
 * @file IDX files, the format of MNIST: big-endian magic number 0x803 (images) or 0x801 (labels),
 * extents, then bytes. Plain or gzipped. Format: yann.lecun.com/exdb/mnist, "FILE FORMATS".
 */

import { kMaxLength } from "node:buffer";
import { readdirSync } from "node:fs";
import { basename, resolve } from "node:path";
import { promisify } from "node:util";
import { constants, gunzip, type ZlibOptions } from "node:zlib";
import { codeOf, DataError } from "../../core/errors.ts";
import { type Source, TRAIN, VALIDATION } from "../../data/source.ts";
import { type PackedBlock, packedSource } from "./packed-source.ts";
import { readSourceFile } from "./read-source-file.ts";

const fileName = /^(train|t10k|test)-(images|labels)[.-]idx[13]-ubyte(\.gz)?$/;

/** Whether a folder holds IDX files under MNIST's names. */
export const hasIdxFiles = (names: readonly string[]) => names.some((name) => fileName.test(name));

export interface IdxSourceOptions {
  readonly name?: string;
  /** Names of the labels 0, 1, ...; by default their digits. */
  readonly classes?: readonly string[];
}

/**
 * @param path a folder that holds train-images-idx3-ubyte, train-labels-idx1-ubyte and, for a
 *   validation part, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte; each plain or .gz
 * @throws DataError for files that are missing or not what their names say
 */
export async function idxSource(path: string, options: IdxSourceOptions = {}): Promise<Source> {
  const root = resolve(path);
  const name = options.name ?? basename(root);
  const names = readdirSync(root).sort();
  const find = (parts: readonly string[], what: string) =>
    names.find((file) => {
      const [, part = "", of] = fileName.exec(file) ?? [];
      return parts.includes(part) && of === what;
    });
  const read = async (parts: readonly string[], part: number): Promise<PackedBlock | null> => {
    const [images, labels] = [find(parts, "images"), find(parts, "labels")];
    if (images === undefined && labels === undefined) return null;
    if (images === undefined || labels === undefined)
      throw new DataError(
        `${name}: ${images ?? labels} has no ${images === undefined ? "images" : "labels"} beside it`,
      );
    return readBlock({ root, name, images, labels, part });
  };
  const train = await read(["train"], TRAIN);
  if (train === null) throw new DataError(`${name}: train-images-idx3-ubyte is missing`);
  const test = await read(["t10k", "test"], VALIDATION);
  const blocks = test === null ? [train] : [train, test];
  const highest = Math.max(
    ...blocks.map(({ labels }) => labels.reduce((a, b) => Math.max(a, b), 0)),
  );
  const classes =
    options.classes ?? Array.from({ length: highest + 1 }, (_, label) => String(label));
  if (highest >= classes.length)
    throw new DataError(`${name}: label ${highest} is not among its ${classes.length} classes`);
  if (classes.length < 2)
    throw new DataError(`${name}: all labels are 0; at least two classes are needed`);
  const { width, height } = train.shape;
  return packedSource({
    name,
    classes,
    channels: 1,
    augmentation: "digits",
    defaultSize: Math.min(width, height),
    blocks,
    given: test !== null,
  });
}

interface BlockFiles {
  readonly root: string;
  readonly name: string;
  readonly images: string;
  readonly labels: string;
  readonly part: number;
}

async function readBlock(files: BlockFiles): Promise<PackedBlock> {
  const images = await readIdx(files, files.images, 3);
  const labels = await readIdx(files, files.labels, 1);
  const [count, height, width] = images.extents as [number, number, number];
  if (count !== labels.extents[0])
    throw new DataError(
      `${files.name}: ${files.images} has ${count} images but ${files.labels} has ${labels.extents[0]} labels`,
    );
  return {
    data: images.data,
    shape: { width, height, channels: 1, base: 0, stride: width * height, planar: false },
    labels: labels.data,
    part: files.part,
  };
}

async function readIdx({ root, name }: BlockFiles, file: string, dimensions: number) {
  const stored = readSourceFile(root, name, file);
  const wrong = (reason: string) =>
    new DataError(`${name}: ${file} ${reason}; fetch the file again or remove it`);
  const unpacked = async (bytes: Buffer, options: ZlibOptions) => {
    if (!file.endsWith(".gz")) return bytes;
    try {
      return await promisify(gunzip)(bytes, options);
    } catch (cause) {
      if (codeOf(cause) === "ERR_BUFFER_TOO_LARGE") return null;
      throw wrong(`cannot be unpacked (${(cause as Error).message})`);
    }
  };
  const header = 4 + 4 * dimensions;
  // The header first: it says how much there is to unpack, of which a few bytes may become gigabytes.
  const partly = { finishFlush: constants.Z_SYNC_FLUSH };
  const beginning = await unpacked(stored.subarray(0, 1 << 12), partly);
  if (beginning === null || beginning.length < header)
    throw wrong(`has ${beginning?.length ?? 0} bytes, fewer than its header`);
  const magic = beginning.readUInt32BE(0);
  if (magic !== 0x800 + dimensions)
    throw wrong(
      `begins with 0x${magic.toString(16)}, not with 0x${(0x800 + dimensions).toString(16)}`,
    );
  const extents = Array.from({ length: dimensions }, (_, i) => beginning.readUInt32BE(4 + 4 * i));
  const wanted = extents.reduce((product, extent) => product * extent, 1);
  const all = `should hold ${wanted} bytes (${extents.join(" x ")})`;
  if (wanted > kMaxLength - header) throw wrong(`${all}, more than can be read at once`);
  const bytes = await unpacked(stored, { maxOutputLength: header + wanted });
  if (bytes === null) throw wrong(`${all} but holds more`);
  if (bytes.length - header !== wanted || wanted === 0)
    throw wrong(`${all} but holds ${bytes.length - header}`);
  return { data: bytes.subarray(header), extents };
}
