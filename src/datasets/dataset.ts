/** @file A cache file, a split and a loader as one Dataset. */

import { AddonError } from "../core/errors.ts";
import { checkBatch, checkImage } from "../data/batch.ts";
import type { Parts } from "../data/split.ts";
import type { AugmentationName, Dataset, FillOptions, OpenedAlready } from "../data/types.ts";
import { loadAddon, type NativeCache } from "../engine/native/addon/index.ts";
import type { DatasetRecord } from "../record/index.ts";

export interface DatasetParts {
  readonly record: DatasetRecord;
  /** Mapped; closed together with the data set. */
  readonly cache: NativeCache;
  readonly labels: Int32Array;
  readonly parts: Parts;
  readonly augmentation: AugmentationName;
  /** The cache's file and key. */
  readonly kept: Pick<OpenedAlready, "file" | "key">;
}

type Key = { readonly seed: number; readonly epoch: number };

/** Philox takes 32-bit words; larger seeds wrap, as in core/random.ts. */
const native = (key: Key | undefined) =>
  key === undefined ? null : { seed: key.seed >>> 0, epoch: key.epoch >>> 0 };

export function createDataset({
  record,
  cache,
  labels,
  parts,
  augmentation,
  kept,
}: DatasetParts): Dataset {
  const { size, channels, mean, std } = record;
  const addon = loadAddon();
  const explained = (error: unknown) =>
    new AddonError(`${record.name}: ${(error as Error).message}`, { cause: error });
  const loader = (() => {
    try {
      return addon.createLoader(cache, { labels, mean, std, augmentation });
    } catch (error) {
      throw explained(error);
    }
  })();
  const of = { name: record.name, count: labels.length, channels, size };
  return {
    record,
    classes: record.classes.map(({ name }) => name),
    channels,
    size,
    labels,
    train: parts.train,
    validation: parts.validation,
    test: parts.test,
    mean,
    std,
    augmentation,
    get again() {
      const { train, validation, test } = parts;
      return {
        ...{ ...kept, record, augmentation, labels: [...labels] },
        parts: { train: [...train], validation: [...validation], test: [...test] },
      };
    },
    preprocessing: { size, channels, resize: "cover", filter: "triangle" },
    async fill(batch: FillOptions) {
      checkBatch(of, batch);
      const { images, labels: into, indices, augment } = batch;
      try {
        await addon.fillBatch(loader, images, into, indices, native(augment));
      } catch (error) {
        throw explained(error);
      }
    },
    async png(index, augment) {
      checkImage(of, index);
      const pixels = addon.loaderImage(loader, index, native(augment));
      const { default: sharp } = await import("sharp");
      const raw = { width: size, height: size, channels: channels as 1 | 3 };
      return sharp(pixels, { raw }).png().toBuffer();
    },
    close() {
      addon.closeLoader(loader);
      addon.closeCache(cache);
    },
  };
}
