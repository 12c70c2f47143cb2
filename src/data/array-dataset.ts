/** @file A data set of arrays in memory, images or the rows of a table: no files, no engine, any JavaScript. */

import { at } from "../core/at.ts";
import { checkPositiveInteger } from "../core/checks.ts";
import { sha256 } from "../core/digest.ts";
import { ArgumentError } from "../core/errors.ts";
import { checkTypedArray } from "../core/typed-arrays.ts";
import { affineOf, drawAugmentation, type EpochKey, RowColours, Warper } from "./augment.ts";
import { checkBatch, checkImage } from "./batch.ts";
import { type Normalization, normalisationTables, normaliseImage } from "./normalise.ts";
import { encodePng } from "./png.ts";
import { checkClasses, stratifiedSplit } from "./split.ts";
import {
  checkedNormalization,
  checkSplit,
  countClasses,
  VALIDATION_FRACTION,
} from "./split-checks.ts";
import { columnStatistics, pixelStatistics } from "./statistics.ts";
import type { AugmentationName, Dataset, OpenOptions } from "./types.ts";

export interface ArrayDatasetOptions
  extends Pick<OpenOptions, "validation" | "test" | "splitSeed" | "normalization"> {
  /**
   * Uint8Array: images, (n, size, size, channels). Float32Array: a table of n rows, finite numbers, whose
   * columns are the channels of images of one pixel.
   */
  readonly images: Uint8Array | Float32Array;
  /** Class of each, an index into `classes`. */
  readonly labels: ArrayLike<number>;
  readonly classes: readonly string[];
  /** Of images: 3, the default, or 1. Of a table: its length by that of the labels. */
  readonly channels?: 1 | 3;
  /** Of images: how they are augmented in training; default "none". */
  readonly augmentation?: AugmentationName;
  /** In records; default "arrays". */
  readonly name?: string;
}

/**
 * Splits and normalises arrays as openImages does the images of a folder: stratified, by `splitSeed`; mean
 * and deviation are those of the training part unless given. The arrays are not copied: leave them alone.
 * @throws ArgumentError where lengths, labels or options do not fit together
 * @throws DataError for a class with fewer than two items, or none in one of the parts
 */
export async function arrayDataset(options: ArrayDatasetOptions): Promise<Dataset> {
  checkSplit(options);
  const { images, classes, name = "arrays", validation = VALIDATION_FRACTION } = options;
  const labels = checkedLabels(name, options);
  const shape = checkedShape(name, options, labels.length);
  const { channels, size } = shape;
  const { test = 0, splitSeed = 0 } = options;
  const split = { labels, classes: classes.length, validation, test, splitSeed };
  const parts = stratifiedSplit(split);
  const broken = classes.map(() => 0);
  checkClasses({ source: name, classes, labels, parts, tested: test > 0, broken });
  const normalization = options.normalization
    ? checkedNormalization(options.normalization, name, channels)
    : images instanceof Uint8Array
      ? pixelStatistics(images, parts.train, { length: size * size * channels, channels })
      : columnStatistics(images, parts.train, channels);
  const augmentation = images instanceof Uint8Array ? (options.augmentation ?? "none") : "none";
  const { mean, std } = normalization;
  const record = {
    name,
    fingerprint: await fingerprintOf(images, labels, { ...shape, classes }),
    images: labels.length,
    channels,
    size,
    classes: countClasses(classes, labels, parts),
    mean: [...mean],
    std: [...std],
    broken: [],
  };
  const of = { name, count: labels.length, channels, size };
  const rows = rowsOf(options, { ...shape, normalization, augmentation });
  let closed = false;
  const checkOpen = () => {
    if (closed) throw new ArgumentError(`${name}: the data set is closed; open it again`);
  };
  return {
    record,
    classes: [...classes],
    channels,
    size,
    labels,
    ...parts,
    mean,
    std,
    augmentation,
    preprocessing: { size, channels, resize: "cover", filter: "triangle" },
    async fill(batch) {
      checkOpen();
      checkBatch(of, batch);
      const length = channels * size * size;
      for (const [b, image] of batch.indices.entries()) {
        rows.fill(image, batch.images.subarray(b * length, (b + 1) * length), batch.augment);
        batch.labels[b] = at(labels, image, "labels");
      }
      batch.labels.fill(-1, batch.indices.length);
    },
    async png(image, augment) {
      checkOpen();
      checkImage(of, image);
      const pixels = rows.pixels(image, augment);
      if (!pixels)
        throw new ArgumentError(
          `${name}: the rows of a table are no pictures; only images are shown`,
        );
      return encodePng(pixels, { size, channels: channels as 1 | 3 });
    },
    close: () => {
      closed = true;
    },
  };
}

function checkedLabels(name: string, { labels, classes }: ArrayDatasetOptions): Int32Array {
  if (new Set(classes).size !== classes.length || classes.length < 2)
    throw new ArgumentError(
      `${name}: classes must be two or more different names; got ${classes.length}: ${classes.slice(0, 10).join(", ")}`,
    );
  return Int32Array.from(labels, (label, i) => {
    if (Number.isInteger(label) && label >= 0 && label < classes.length) return label;
    throw new ArgumentError(
      `${name}: labels must be integers from 0 to ${classes.length - 1}, one a class; got ${label} for item ${i}`,
    );
  });
}

function checkedShape(
  name: string,
  { images, channels: given = 3 }: ArrayDatasetOptions,
  count: number,
): { channels: number; size: number } {
  const table = images instanceof Float32Array;
  checkTypedArray(name, "images", table ? "Float32Array" : "Uint8Array", images, 1);
  checkPositiveInteger(name, "count of labels", count);
  const length = images.length / count;
  const channels = table ? length : given;
  const size = table ? 1 : Math.sqrt(length / channels);
  if (!Number.isInteger(channels) || !Number.isInteger(size))
    throw new ArgumentError(
      table
        ? `${name}: ${count} labels must divide the ${images.length} values of the table; give one label a row`
        : `${name}: ${count} images of ${channels} channels must be squares; got ${images.length} bytes, ${length} an image: give one label an image, and "channels" of 1 or 3`,
    );
  if (table) {
    const place = images.findIndex((value) => !Number.isFinite(value));
    if (place >= 0)
      throw new ArgumentError(
        `${name}: a table must hold finite numbers; got ${images[place]} in row ${Math.floor(place / channels)}, column ${place % channels}`,
      );
  }
  return { channels, size };
}

interface RowShape {
  readonly channels: number;
  readonly size: number;
  readonly normalization: Normalization;
  readonly augmentation: AugmentationName;
}

/** How one item is written into a batch, and shown. */
function rowsOf(options: ArrayDatasetOptions, shape: RowShape) {
  const { channels, size, normalization, augmentation } = shape;
  const { images } = options;
  const length = size * size * channels;
  if (images instanceof Float32Array)
    return {
      fill(row: number, into: Float32Array) {
        const { mean, std } = normalization;
        const values = images.subarray(row * channels, (row + 1) * channels);
        for (const [c, value] of values.entries())
          into[c] = (value - at(mean, c, "mean")) / at(std, c, "std");
      },
      pixels: () => null,
    };
  const tables = normalisationTables(normalization);
  const warper = new Warper(size, channels);
  /** Hands the rows of the augmented image over, one after the other. */
  const warped = (
    image: number,
    key: EpochKey,
    use: (colours: RowColours, planes: Float32Array, y: number) => void,
  ) => {
    const draws = drawAugmentation(augmentation, key, image);
    const map = affineOf(draws, size);
    const colours = new RowColours(draws, normalization);
    for (let y = 0; y < size; y++) use(colours, warper.row(pixelsOf(image), map, y), y);
  };
  const pixelsOf = (image: number) => images.subarray(image * length, (image + 1) * length);
  return {
    fill(image: number, into: Float32Array, key: EpochKey | undefined) {
      if (!key || augmentation === "none") normaliseImage(pixelsOf(image), into, tables);
      else
        warped(image, key, (colours, planes, y) =>
          colours.normalised(planes, size, into, y * size),
        );
    },
    pixels(image: number, key: EpochKey | undefined) {
      if (!key || augmentation === "none") return pixelsOf(image);
      const pixels = new Uint8Array(length);
      warped(image, key, (colours, planes, y) =>
        colours.bytes(planes, size, pixels, y * size * channels),
      );
      return pixels;
    },
  };
}

/** SHA-256 over contents, labels and what they mean. */
async function fingerprintOf(
  images: Uint8Array | Float32Array,
  labels: Int32Array,
  described: object,
): Promise<string> {
  const contents = [await sha256(images), await sha256(labels)];
  return sha256(JSON.stringify([described, ...contents]));
}
