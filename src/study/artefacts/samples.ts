/**
 * @file A few images of each class, as they are and as they are augmented, for the report. They are
 * kept as samples.json in the run directory, so that the report can be rendered again without the
 * source; --no-samples writes none.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { StoreError } from "../../core/errors.ts";
import type { Dataset } from "../../data/types.ts";
import { type SampleImages, type SamplesRecord, samplesRecord } from "../../record/index.ts";
import { type RunDirectory, readRecord } from "../../store/index.ts";

const SAMPLES_FILE = "samples.json";
/** Classes shown at most, and augmented copies of each image. */
const CLASSES = 12;
const COPIES = 3;

/** The first training image of each class, beside what the first epochs make of it. */
export async function collectSamples(dataset: Dataset, seed: number): Promise<SampleImages[]> {
  const samples: SampleImages[] = [];
  for (const [label, className] of dataset.classes.slice(0, CLASSES).entries()) {
    const image = dataset.train.find((index) => dataset.labels[index] === label);
    if (image === undefined) continue;
    const copies = dataset.augmentation === "none" ? 0 : COPIES;
    const augmented = Array.from({ length: copies }, (_, copy) =>
      dataset.png(image, { seed, epoch: copy + 1 }),
    );
    samples.push({
      className,
      original: dataUri(await dataset.png(image)),
      augmented: (await Promise.all(augmented)).map(dataUri),
    });
  }
  return samples;
}

const dataUri = (png: Uint8Array) => `data:image/png;base64,${Buffer.from(png).toString("base64")}`;

/** Whether the run keeps images that can be read; what is damaged can be made again. */
export function hasSamples(path: string): boolean {
  try {
    return readSamples(path).length > 0;
  } catch (error) {
    if (error instanceof StoreError) return false;
    throw error;
  }
}

export function writeSamples(directory: RunDirectory, samples: SampleImages[]): void {
  const record: SamplesRecord = { formatVersion: 1, samples };
  directory.writeText(SAMPLES_FILE, `${JSON.stringify(record, null, 2)}\n`);
}

/** Those that the run kept; none where it was made with --no-samples. */
export function readSamples(path: string): readonly SampleImages[] {
  const file = join(path, SAMPLES_FILE);
  return existsSync(file) ? readRecord(file, samplesRecord).samples : [];
}
