/**
 * @file What data cost: decoding a folder, opening what is decoded, augmenting a batch on one thread
 * beside the vanilla step. The images are drawn for the run, into a temporary folder.
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { median } from "../analysis/index.ts";
import { at } from "../core/at.ts";
import { checkPositiveInteger } from "../core/checks.ts";
import { quietly } from "../core/cleanup.ts";
import { InterruptedError } from "../core/errors.ts";
import { randomStream } from "../core/random.ts";
import { decodeImages } from "../datasets/decoding/decode.ts";
import { type ImageDecoder, openDecoder } from "../datasets/decoding/isolated-decoder.ts";
import { openDataset } from "../datasets/open.ts";
import { DEFAULT_ENGINE, openBackend } from "../engine/native/engines.ts";
import { defaultThreads, describeMachine } from "../files/machine.ts";
import { createModel } from "../models/index.ts";
import type { Session } from "../program/index.ts";
import { openOurs } from "./step.ts";
import { statistics, type Times } from "./turns.ts";

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
    /** In a process of its own, as data sets are decoded; in turns with the former. */
    readonly isolated: {
      readonly imagesPerSecond: number;
      readonly ms: Times;
      /** Median of the ratios, turn by turn, to the same files decoded in this process. */
      readonly ratio: number;
    };
  }[];
  /** Until a decoding process has decoded its first file: once a data set. */
  readonly startMs: Times;
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

/** What data cost: decoding, opening what is decoded, and augmenting a batch, beside a training step. */
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
      const { here, isolated } = await inTurns(list, { size, threads, repetitions, signal });
      const ms = statistics(here);
      const apart = statistics(isolated);
      const ratio = median(isolated.map((time, i) => time / at(here, i, "times")));
      const perSecond = ({ medianMs }: Times) => (images / medianMs) * 1000;
      decode.push({
        files,
        imagesPerSecond: perSecond(ms),
        ms,
        isolated: { imagesPerSecond: perSecond(apart), ms: apart, ratio },
      });
    }
    const first = square.slice(0, 1);
    const startMs = statistics(
      await repeated(repetitions, () => decodeApart(first, size, threads), signal),
    );
    const open = () => openDataset(join(folder, "photos"), { size, threads, cacheDir: folder });
    const started = performance.now();
    (await open()).close();
    const firstMs = performance.now() - started;
    const again = performance.now();
    const dataset = await open();
    const openMs = { first: firstMs, cached: performance.now() - again };
    const backend = await openBackend(DEFAULT_ENGINE, { threads });
    const network = createModel("vanilla", { classes: 5, channels: 3, size });
    const single = await openBackend(DEFAULT_ENGINE, { threads: 1 });
    const ours = await openOurs({ network, batch, threads: 1, backend: single });
    let slot: Session | undefined;
    try {
      // A session's slot, as training has it: such memory is written in place.
      const imageBytes = 4 * batch * 3 * size * size;
      const empty = { persistentBytes: 0, arenaBytes: 0, outputBytes: 0 };
      const memory = { ...empty, imageBytes, labelBytes: 4 * batch, slots: 1, threads: 1 } as const;
      slot = await single.openSession(memory);
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
        startMs,
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

const CHUNK = 64;

async function decodeAll(files: readonly string[], size: number, threads: number): Promise<void> {
  const pixels = new Uint8Array(CHUNK * size * size * 3);
  for (let first = 0; first < files.length; first += CHUNK)
    await decodeImages(files.slice(first, first + CHUNK), pixels, { size, channels: 3, threads });
}

/** Two lists under way, as where a data set is decoded. */
async function decodeWith(decoder: ImageDecoder, files: readonly string[]): Promise<void> {
  let before: Promise<unknown> | undefined;
  for (let first = 0; first < files.length; first += CHUNK) {
    const next = decoder.decode(files.slice(first, first + CHUNK));
    await before;
    before = next;
  }
  await before;
}

async function decodeApart(files: readonly string[], size: number, threads: number) {
  const decoder = openDecoder({ size, channels: 3, threads, capacity: CHUNK });
  try {
    await decodeWith(decoder, files);
  } finally {
    decoder.close();
  }
}

interface TurnOptions {
  readonly size: number;
  readonly threads: number;
  readonly repetitions: number;
  readonly signal: AbortSignal | undefined;
}

/** Milliseconds of each turn; the process is there already, and the first turn is not counted. */
async function inTurns(files: readonly string[], options: TurnOptions) {
  const { size, threads, repetitions, signal } = options;
  const decoder = openDecoder({ size, channels: 3, threads, capacity: CHUNK, signal });
  try {
    const here: number[] = [];
    const isolated: number[] = [];
    const times = await repeated(
      repetitions,
      async () => {
        const started = performance.now();
        await decodeAll(files, size, threads);
        const between = performance.now();
        await decodeWith(decoder, files);
        here.push(between - started);
        isolated.push(performance.now() - between);
      },
      signal,
    );
    return { here: here.slice(-times.length), isolated: isolated.slice(-times.length) };
  } finally {
    decoder.close();
  }
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
    writeFileSync(file, at(pictures, Math.floor(i / CLASSES) % pictures.length, "pictures"));
    files.push(file);
  }
  return files;
}
