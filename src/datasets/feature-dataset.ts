/** @file A data set whose images are features that were computed of them once, in some augmented views. */

import { at } from "../core/at.ts";
import { ArgumentError } from "../core/errors.ts";
import { randomStream } from "../core/random.ts";
import { checkApart, checkTypedArray } from "../core/typed-arrays.ts";
import type { Dataset } from "../data/types.ts";
import type { FeatureFile } from "./cache/feature-file.ts";

/** Which image, and which of its views, each row of a file of features is of. */
export interface FeatureRows {
  readonly count: number;
  /** Image numbers of the rows' parts, in order; `view` from 0, null: as it is. */
  readonly parts: readonly { readonly images: Int32Array; readonly view: number | null }[];
}

/** Each view of all training images, then the others without augmentation. */
export function featureRows(
  { train, labels }: Pick<Dataset, "train" | "labels">,
  views: number,
): FeatureRows {
  const trained = new Set(train);
  const others = Int32Array.from(labels.keys()).filter((image) => !trained.has(image));
  return {
    count: views * train.length + others.length,
    parts: [
      ...Array.from({ length: views }, (_, view) => ({ images: train, view })),
      { images: others, view: null },
    ],
  };
}

export interface FeatureDatasetOptions {
  /** The images; closed together with their features. */
  readonly images: Dataset;
  readonly file: FeatureFile;
  readonly views: number;
  /** Of an image's features: [channels, height, width]. */
  readonly shape: readonly [number, number, number];
}

/**
 * In an epoch, a training image is seen in the view that (seed, epoch, image) draws; other images, and
 * all where nothing is augmented, are seen as they are. What it says of classes, parts and
 * normalisation is said of the images.
 */
export function featureDataset({ images, file, views, shape }: FeatureDatasetOptions): Dataset {
  const { train, labels, record } = images;
  const [channels, size] = shape;
  const length = channels * size * size;
  const rows = featureRows(images, views);
  const firstRow = new Int32Array(labels.length);
  for (const [position, image] of train.entries()) firstRow[image] = position;
  const others = at(rows.parts, -1, "parts").images;
  for (const [position, image] of others.entries())
    firstRow[image] = views * train.length + position;
  const isTrained = (image: number) => at(firstRow, image, "rows") < train.length;
  const viewOf = (image: number, { seed, epoch }: { seed: number; epoch: number }) =>
    views === 1 ? 0 : randomStream(seed, "augmentation", epoch, image).below(views);

  return {
    ...images,
    channels,
    size,
    async fill({ images: into, labels: classes, indices, augment }) {
      checkTypedArray(record.name, "images", "Float32Array", into);
      checkTypedArray(record.name, "labels", "Int32Array", classes);
      checkTypedArray(record.name, "indices", "Int32Array", indices);
      checkApart(record.name, ["images", "labels"], [into, classes]);
      if (into.length < indices.length * length || classes.length < indices.length)
        throw new ArgumentError(
          `${record.name}: features of ${indices.length} images do not fit ${into.length} values and ${classes.length} labels`,
        );
      classes.fill(-1);
      await Promise.all(
        Array.from(indices, async (image, i) => {
          if (!(image >= 0 && image < labels.length))
            throw new ArgumentError(
              `${record.name}: there is no image ${image}; there are ${labels.length}`,
            );
          if (isTrained(image) && !augment && images.augmentation !== "none")
            throw new ArgumentError(
              `${record.name}: features of training image ${image} are kept in augmented views only`,
            );
          const view = augment && isTrained(image) ? viewOf(image, augment) : 0;
          classes[i] = at(labels, image, "labels");
          const row = at(firstRow, image, "rows") + view * train.length;
          await file.read(row, into.subarray(i * length, (i + 1) * length));
        }),
      );
    },
    close() {
      file.close();
      images.close();
    },
  };
}
