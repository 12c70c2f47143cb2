/**
 * @file Mutated data sets of raw pixels (IDX, CIFAR-10) and mutated files of the decoded cache, through
 * openDataset: each opens or is refused with an error of lrscope's own. Meant for a process with the
 * sanitized addon (scripts/with-sanitizers), where a read outside a block ends it.
 */

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { InternalError, LrscopeError } from "../../src/core/errors.ts";
import type { Dataset } from "../../src/data/types.ts";
import { openDataset } from "../../src/datasets/open.ts";
import { mutate } from "./mutate.ts";
import type { Finding, FuzzOptions, FuzzSummary } from "./report.ts";

type Files = Readonly<Record<string, Buffer>>;

function idx(extents: readonly number[], value: (i: number) => number): Buffer {
  const header = Buffer.alloc(4 + 4 * extents.length);
  header.writeUInt32BE(0x800 + extents.length, 0);
  for (const [i, extent] of extents.entries()) header.writeUInt32BE(extent, 4 + 4 * i);
  const bytes = extents.reduce((product, extent) => product * extent, 1);
  return Buffer.concat([header, Buffer.from(Array.from({ length: bytes }, (_, i) => value(i)))]);
}

const digits: Files = {
  "train-images-idx3-ubyte": idx([12, 6, 5], (i) => 7 * i),
  "train-labels-idx1-ubyte": idx([12], (i) => i % 3),
  "t10k-images-idx3-ubyte.gz": gzipSync(idx([6, 6, 5], (i) => 5 * i)),
  "t10k-labels-idx1-ubyte": idx([6], (i) => i % 3),
};

const cifar = (records: number) =>
  Buffer.concat(
    Array.from({ length: records }, (_, r) =>
      Buffer.from(Array.from({ length: 3073 }, (_, i) => (i === 0 ? r % 3 : i * (r + 1)))),
    ),
  );

const pictures: Files = {
  "data_batch_1.bin": cifar(9),
  "test_batch.bin": cifar(6),
  "batches.meta.txt": Buffer.from("plane\ncar\nbird\n"),
};

/** Every pixel and label of a data set, as a network is given them. */
async function readAll(dataset: Dataset): Promise<string> {
  const { channels, size } = dataset;
  const indices = Int32Array.from(dataset.labels, (_, i) => i);
  const images = new Float32Array(indices.length * channels * size * size);
  const labels = new Int32Array(indices.length);
  await dataset.fill({ images, labels, indices });
  await dataset.fill({ images, labels, indices, augment: { seed: 1, epoch: 1 } });
  await dataset.fill({ images, labels, indices });
  return Buffer.from(images.buffer).toString("base64");
}

interface Setting {
  readonly folder: string;
  readonly cacheDir: string;
}

async function open({ folder, cacheDir }: Setting): Promise<string> {
  const dataset = await openDataset(folder, { cacheDir, size: 8, threads: 2 });
  try {
    return await readAll(dataset);
  } finally {
    dataset.close();
  }
}

/** Sources of raw pixels, one file of each damaged. */
export function fuzzPacked(options: FuzzOptions): Promise<FuzzSummary> {
  return inFolder("packed", options, async (root, index) => {
    const files = index % 2 === 0 ? digits : pictures;
    const names = Object.keys(files);
    const damaged = names[(index >> 1) % names.length]!;
    const folder = join(root, "source");
    mkdirSync(folder);
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
    const { seed } = options;
    const others = names.map((name) => files[name]!);
    // The damaged file's own bytes most often; another's in its place at times.
    const from = index % 5 === 0 ? others : [files[damaged]!];
    writeFileSync(join(folder, damaged), mutate({ seed, index, files: from }));
    await open({ folder, cacheDir: join(root, "cache") });
    return "opened";
  });
}

/** The decoded cache of a source, damaged: it is made again, or refused where it is read. */
export function fuzzCacheFiles(options: FuzzOptions): Promise<FuzzSummary> {
  return inFolder("cache-files", options, async (root, index) => {
    const folder = join(root, "source");
    const cacheDir = join(root, "cache");
    mkdirSync(folder);
    for (const [name, bytes] of Object.entries(digits)) writeFileSync(join(folder, name), bytes);
    const expected = await open({ folder, cacheDir });
    const decoded = join(cacheDir, "decoded");
    const file = join(decoded, readdirSync(decoded).find((name) => name.endsWith(".images"))!);
    writeFileSync(file, mutate({ seed: options.seed, index, files: [readFileSync(file)] }));
    if ((await open({ folder, cacheDir })) !== expected)
      throw new Error("a damaged cache gives other pixels");
    return "the same pixels";
  });
}

async function inFolder(
  name: string,
  { seed, first = 0, count, onProgress }: FuzzOptions,
  run: (root: string, index: number) => Promise<string>,
): Promise<FuzzSummary> {
  const outcomes: Record<string, number> = {};
  const findings: Finding[] = [];
  for (let index = first; index < first + count; index++) {
    const root = mkdtempSync(join(tmpdir(), "lrscope-fuzz-"));
    let outcome: string;
    try {
      outcome = await run(root, index);
    } catch (error) {
      outcome = "named reason";
      const { message } = error as Error;
      if (!(error instanceof LrscopeError) || error instanceof InternalError)
        findings.push({
          what: `${(error as Error).name}: ${message}`,
          reproduce: `seed ${seed}, case ${index}`,
        });
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    onProgress?.(1);
  }
  return { name, inputs: count, outcomes, findings };
}
