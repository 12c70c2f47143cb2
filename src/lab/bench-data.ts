/**
 * @file What data cost: decoding a folder, opening what is decoded, augmenting a batch on one thread
 * beside the vanilla step. The images are drawn for the run, into a temporary folder.
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { quietly } from "../core/cleanup.ts";
import { checkPositiveInteger } from "../core/checks.ts";
import { InterruptedError } from "../core/errors.ts";
import { randomStream } from "../core/random.ts";
import { decodeImages } from "../data/decode.ts";
import { openDataset } from "../data/index.ts";
import { createModel } from "../models/index.ts";
import type { Session } from "../program/index.ts";
import { nativeBackend } from "../runtime/native/index.ts";
import { openOurs } from "./bench-step.ts";
import { statistics, type Times } from "./bench-turns.ts";
import { defaultThreads, describeMachine } from "./machine.ts";

export interface BenchDataOptions {
  readonly threads?: number;
  /** Images of the folder; default 1280. */
  readonly images?: number;
  readonly batch?: number;
  readonly size?: number;
  readonly repetitions?: number;
  readonly signal?: AbortSignal;
}

export interface BenchDataRecord {
  readonly images: number;
  readonly batch: number;
  readonly size: number;
  readonly threads: number;
  /** Of files of size x size pixels, and of 320x240 as photo collections have them. */
  readonly decode: readonly {
    readonly files: string;
    readonly imagesPerSecond: number;
    readonly ms: Times;
  }[];
  /** Folder to data set: the first time, which decodes, and once everything is in the cache. */
  readonly openMs: { readonly first: number; readonly cached: number };
  /** A batch on one thread, augmented. */
  readonly augment: Times;
  /** The vanilla step at the same size and batch, on one thread too. */
  readonly step: Times;
  /** Of the step. */
  readonly augmentShare: number;
  readonly machine: ReturnType<typeof describeMachine>;
  readonly engine: string;
}

export async function benchData(options: BenchDataOptions = {}): Promise<BenchDataRecord> {
  const { threads = defaultThreads(), images = 1280, batch = 64, size = 128 } = options;
  const { repetitions = 7, signal } = options;
  for (const [name, value] of Object.entries({ threads, images, batch, size, repetitions }))
    checkPositiveInteger("bench data", name, value);
  const folder = mkdtempSync(join(tmpdir(), "lrscope-bench-"));
  try {
    const square = await drawFolder(join(folder, "square"), images, [size, size]);
    const photos = await drawFolder(join(folder, "photos"), images, [320, 240]);
    const decode = [];
    for (const [files, list] of [
      [`${size}x${size}`, square],
      ["320x240", photos],
    ] as const) {
      const ms = statistics(
        await repeated(repetitions, () => decodeAll(list, size, threads), signal),
      );
      decode.push({ files, imagesPerSecond: (images / ms.medianMs) * 1000, ms });
    }
    const open = () => openDataset(join(folder, "photos"), { size, threads, cacheDir: folder });
    const started = performance.now();
    (await open()).close();
    const first = performance.now() - started;
    const again = performance.now();
    const dataset = await open();
    const openMs = { first, cached: performance.now() - again };
    const backend = nativeBackend({ threads });
    const network = createModel("vanilla", { classes: 5, channels: 3, size });
    const single = nativeBackend({ threads: 1 });
    const ours = openOurs({ network, batch, threads: 1, backend: single });
    let slot: Session | undefined;
    try {
      // A session's slot, as training has it: such memory is written in place.
      const imageBytes = 4 * batch * 3 * size * size;
      const empty = { persistentBytes: 0, arenaBytes: 0, outputBytes: 0 };
      const memory = { ...empty, imageBytes, labelBytes: 4 * batch, slots: 1, threads: 1 } as const;
      slot = single.createSession(memory);
      const buffer = slot.images(0);
      const labels = slot.labels(0);
      const indices = dataset.train.subarray(0, batch);
      let epoch = 0;
      const fill = () =>
        dataset.fill({ images: buffer, labels, indices, augment: { seed: 0, epoch: ++epoch } });
      const augment = statistics(await repeated(3 * repetitions, fill, signal));
      await ours.run(3);
      const step = statistics(await ours.run(2 * repetitions));
      return {
        images,
        batch,
        size,
        threads,
        decode,
        openMs,
        augment,
        step,
        augmentShare: augment.medianMs / step.medianMs,
        machine: describeMachine(),
        engine: backend.description,
      };
    } finally {
      slot?.dispose();
      ours.close();
      dataset.close();
    }
  } finally {
    quietly(() => rmSync(folder, { recursive: true, force: true }));
  }
}

/** The first is not counted. */
async function repeated(
  count: number,
  work: () => Promise<unknown>,
  signal: AbortSignal | undefined,
): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i <= count; i++) {
    if (signal?.aborted) throw new InterruptedError("interrupted; nothing was recorded");
    const started = performance.now();
    await work();
    if (i > 0) times.push(performance.now() - started);
  }
  return times;
}

async function decodeAll(files: readonly string[], size: number, threads: number): Promise<void> {
  const chunk = 64;
  const pixels = new Uint8Array(chunk * size * size * 3);
  for (let first = 0; first < files.length; first += chunk)
    await decodeImages(files.slice(first, first + chunk), pixels, { size, channels: 3, threads });
}

const CLASSES = 5;

/**
 * A folder of class folders of JPEGs that compress as photos do: smooth, with some grain. Sixteen
 * pictures, each written many times, as drawing them all would take longer than what is measured.
 * @returns the files' paths
 */
export async function drawFolder(
  folder: string,
  images: number,
  [width, height]: readonly [number, number],
): Promise<string[]> {
  const pictures: Buffer[] = [];
  for (let i = 0; i < 16; i++) {
    const noise = randomStream(i, "synthetic");
    const coarse = Uint8Array.from({ length: 12 * 9 * 3 }, () => 256 * noise.uniform());
    const grain = Uint8Array.from({ length: width * height * 3 }, () => 116 + 24 * noise.uniform());
    const smooth = sharp(coarse, { raw: { width: 12, height: 9, channels: 3 } });
    const base = await smooth
      .resize(width, height, { fit: "fill", kernel: "cubic" })
      .png()
      .toBuffer();
    const over = await sharp(grain, { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer();
    pictures.push(
      await sharp(base)
        .composite([{ input: over, blend: "soft-light" }])
        .jpeg({ quality: 90 })
        .toBuffer(),
    );
  }
  const files: string[] = [];
  for (let i = 0; i < images; i++) {
    const inside = join(folder, `class-${i % CLASSES}`);
    if (i < CLASSES) mkdirSync(inside, { recursive: true });
    const file = join(inside, `${String(i).padStart(6, "0")}.jpg`);
    writeFileSync(file, pictures[Math.floor(i / CLASSES) % pictures.length]!);
    files.push(file);
  }
  return files;
}
