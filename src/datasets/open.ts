/** @file openDataset: from a source's name or path to a decoded, split and mapped data set. */

import { availableParallelism } from "node:os";
import { at } from "../core/at.ts";
import { checkPositiveInteger } from "../core/checks.ts";
import { ArgumentError, DataError } from "../core/errors.ts";
import { MOST_THREADS } from "../core/limits.ts";
import { COPY_CHOICES, recordCopies } from "../data/copies.ts";
import type { BrokenItem, Source } from "../data/source.ts";
import { checkClasses, type Parts } from "../data/split.ts";
import { checkedNormalization, checkSplit, countClasses } from "../data/split-checks.ts";
import type { Dataset, OpenedAlready, OpenOptions } from "../data/types.ts";
import { loadAddon } from "../engine/native/addon/index.ts";
import { cacheDirectory } from "../files/cache-dir.ts";
import type { DatasetRecord } from "../record/index.ts";
import { openCacheFile } from "./cache/cache-file.ts";
import { type DecodedImages, decodedImages } from "./cache/decoded-images.ts";
import { createDataset } from "./dataset.ts";
import { withoutCopies } from "./fingerprint.ts";
import { openSource } from "./sources/open-source.ts";
import { itemsOf, splitSource } from "./split-source.ts";

/** Beyond this, a batch of images alone would take gigabytes. */
const largestSize = 1024;

/**
 * Open a source: decode it into the cache where needed, split it, and map it.
 *
 * Image files are decoded in a process of their own, within limits: 100 megapixels, 65,535 pixels a
 * side, 1 GiB a file; 30 s of processor time and, on Linux, 2 GiB of memory to decode it. A file beyond
 * them, or one that crashes its decoder, is left out and listed in `record.broken` as a damaged one is.
 * What may pass (a lack of memory, a bad disk) fails the call, and nothing is kept of it.
 *
 * @param source a folder of class folders (or of train/, val/ and test/), of IDX files or of CIFAR-10
 *   binaries; or one of `sourceNames`
 * @throws DataError for a source that cannot be used, DownloadError, StoreError for a cache that
 *   cannot be written, InterruptedError when the signal fires
 */
export async function openDataset(source: string, options: OpenOptions = {}): Promise<Dataset> {
  checkOptions(options);
  const { signal, onEvent } = options;
  const threads = options.threads ?? Math.min(availableParallelism(), MOST_THREADS);
  const cacheDir = cacheDirectory(options.cacheDir);
  const opened = await openSource(source, { cacheDir, signal, onEvent });
  const size = options.size ?? opened.defaultSize;

  const items = itemsOf(opened, options);
  const decoded = await decodedImages(opened, {
    items,
    size,
    cacheDir,
    threads,
    signal,
    onEvent,
  });
  try {
    return await splitAndMap(opened, items, decoded, { ...options, threads });
  } catch (error) {
    loadAddon().closeCache(decoded.cache);
    throw error;
  }
}

/**
 * Opens what another process of this machine has opened, from the cache alone.
 * @returns null where the cache no longer has it, whole
 * @throws InterruptedError when the signal fires
 */
export async function openAgain(
  { file, key, record, labels, parts, augmentation }: OpenedAlready,
  { threads, signal }: { readonly threads: number; readonly signal?: AbortSignal | undefined },
): Promise<Dataset | null> {
  const { cache } = await openCacheFile(file, key, { threads, signal });
  if (cache === null) return null;
  const { train, validation, test } = parts;
  try {
    return createDataset({
      ...{ record, cache, augmentation, kept: { file, key } },
      labels: Int32Array.from(labels),
      parts: {
        train: Int32Array.from(train),
        validation: Int32Array.from(validation),
        test: Int32Array.from(test),
      },
    });
  } catch (error) {
    loadAddon().closeCache(cache);
    throw error;
  }
}

async function splitAndMap(
  opened: Source,
  items: Int32Array,
  { cache, broken: unusableItems, fingerprint, file, key }: DecodedImages,
  options: OpenOptions & { readonly threads: number },
): Promise<Dataset> {
  const { name, classes, channels } = opened;
  const { test = 0, threads } = options;
  const unusable = new Set(unusableItems.map(({ position }) => position));
  const decoded = items.filter((_, position) => !unusable.has(position));
  refuseAllBroken(name, decoded.length, unusableItems);
  const { labels, contents, leftOut, parts } = splitSource(opened, decoded, options);
  const broken = classes.map(() => 0);
  for (const position of unusable) {
    const label = at(opened.labels, at(items, position, "items"), "labels");
    broken[label] = at(broken, label, "classes") + 1;
  }
  checkClasses({ source: name, classes, labels, parts, tested: test > 0, broken });
  const copies = recordCopies({
    contents: contents.map((content, image) => (leftOut.has(image) ? undefined : content)),
    labels,
    partOf: partOfEach(labels.length, parts),
    nameOf: (image) => opened.fileOf?.(at(decoded, image, "images")) ?? String(image),
  });

  const { mean, std } = options.normalization
    ? checkedNormalization(options.normalization, name, channels)
    : await loadAddon().pixelStatistics(cache, parts.train, threads);
  const record: DatasetRecord = {
    name,
    fingerprint: leftOut.size > 0 ? withoutCopies(fingerprint) : fingerprint,
    images: labels.length - leftOut.size,
    channels,
    size: options.size ?? opened.defaultSize,
    classes: countClasses(classes, labels, parts),
    mean,
    std,
    broken: unusableItems.map(({ file, reason }) => ({ file, reason })),
    ...(copies ? { copies } : {}),
    ...(leftOut.size > 0 ? { copiesLeftOut: leftOut.size } : {}),
    ...severalOf(
      opened,
      decoded.filter((_, image) => !leftOut.has(image)),
    ),
  };
  const augmentation = options.augment === "none" ? "none" : opened.augmentation;
  return createDataset({ record, cache, labels, parts, augmentation, kept: { file, key } });
}

/** Files that are named of those that hold several pictures. */
const MOST_SEVERAL = 20;

function severalOf(
  { holdsSeveral, fileOf, name }: Source,
  items: Int32Array,
): Pick<DatasetRecord, "firstOfSeveral"> {
  const several = Array.from(items).filter((item) => holdsSeveral?.(item));
  if (several.length === 0) return {};
  const names = several.slice(0, MOST_SEVERAL).map((item) => fileOf?.(item) ?? `${name}#${item}`);
  return { firstOfSeveral: { files: several.length, names } };
}

function partOfEach(images: number, parts: Parts): (image: number) => keyof Parts {
  const of = new Array<keyof Parts>(images).fill("train");
  for (const name of ["validation", "test"] as const)
    for (const image of parts[name]) of[image] = name;
  return (image) => of[image] as keyof Parts;
}

function checkOptions(options: OpenOptions): void {
  const { size, limit, threads, copies = "keep" } = options;
  if (!COPY_CHOICES.includes(copies))
    throw new ArgumentError(
      `data: copies must be one of ${COPY_CHOICES.join(", ")}; got "${copies}"`,
    );
  if (size !== undefined) {
    checkPositiveInteger("data", "size", size);
    if (size > largestSize)
      throw new ArgumentError(`data: size must be at most ${largestSize}; got ${size}`);
  }
  checkSplit(options);
  if (limit !== undefined) {
    checkPositiveInteger("data", "limit", limit);
    if (limit < 2)
      throw new ArgumentError(
        "data: limit must be at least 2 images a class, one to train on and one to validate; got 1",
      );
  }
  if (threads !== undefined) {
    checkPositiveInteger("data", "threads", threads);
    if (threads > MOST_THREADS)
      throw new ArgumentError(`data: threads must be at most ${MOST_THREADS}; got ${threads}`);
  }
}

function refuseAllBroken(name: string, usable: number, broken: readonly BrokenItem[]): void {
  const first = broken[0];
  if (usable === 0 && first !== undefined)
    throw new DataError(
      `${name}: none of its ${broken.length} files can be used; the first is ${first.file} (${first.reason})`,
    );
}
