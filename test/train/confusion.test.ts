/** @file The confusion matrix of stored weights, held against what the trial recorded of them. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Dataset } from "../../src/data/types.ts";
import { openDataset } from "../../src/datasets/open.ts";
import { nativeBackend } from "../../src/engine/native/index.ts";
import { writeSafetensors } from "../../src/files/weight-files.ts";
import { vanilla } from "../../src/models/index.ts";
import { adam } from "../../src/optimizers/index.ts";
import { confusionOf } from "../../src/study/stored/from-checkpoint.ts";
import { fit } from "../../src/train/fit.ts";
import { engineAbsent } from "../cli/temporary.ts";

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  let folder: string;
  let dataset: Dataset;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "lrscope-confusion-"));
    dataset = await openDataset("synthetic", { size: 16, cacheDir: folder, threads: 1, limit: 24 });
  });
  afterAll(() => {
    dataset.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test("its diagonal is the recorded accuracy, its rows are the validation part", async () => {
    const backend = nativeBackend({ threads: 1 });
    const { metrics, last } = await fit({
      dataset,
      network: vanilla({
        classes: dataset.classes.length,
        channels: dataset.channels,
        size: 16,
        widths: [4, 4],
        hidden: 8,
      }),
      backend,
      optimizer: adam(),
      epochs: 2,
      batch: 8,
      threads: 1,
    });
    const checkpoint = join(folder, "last.safetensors");
    await writeSafetensors(checkpoint, last!);
    const { counts, mistakes } = await confusionOf({
      checkpoint,
      dataset,
      backend,
      batch: 7,
      threads: 1,
    });
    const images = dataset.validation.length;
    const right = counts.reduce((sum, row, i) => sum + row[i]!, 0);
    expect(right / images).toBeCloseTo(metrics.at(-1)!.validationAccuracy!, 12);
    expect(counts.map((row) => row.reduce((a, b) => a + b, 0))).toEqual(
      dataset.record.classes.map(({ validation }) => validation),
    );
    expect(mistakes).toHaveLength(images - right);
    const sure = mistakes.map(({ probability }) => probability);
    expect(sure).toEqual([...sure].sort((a, b) => b - a));
    for (const { image, truth, answer } of mistakes) {
      expect(dataset.labels[image]).toBe(truth);
      expect(answer).not.toBe(truth);
    }
  });
});
