/** @file What one process has opened, another opens from the cache alone: the same images, split and batches. */

import { mkdirSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Dataset, OpenedAlready } from "../../src/data/types.ts";
import { openAgain, openDataset } from "../../src/datasets/open.ts";
import { openStudy } from "../../src/study/open-study.ts";
import { runStudy } from "../../src/study/run-study.ts";
import { engineAbsent, temporaryFolder } from "../cli/temporary.ts";

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  const within = temporaryFolder();

  async function photos(name: string): Promise<string> {
    const folder = within(name);
    const drawn = await openDataset("synthetic", { size: 16, limit: 9 });
    for (const [image, label] of drawn.labels.entries()) {
      const inside = join(folder, drawn.classes[label]!);
      mkdirSync(inside, { recursive: true });
      writeFileSync(join(inside, `${image}.png`), await drawn.png(image));
    }
    drawn.close();
    return folder;
  }

  async function batch(dataset: Dataset) {
    const indices = dataset.train.subarray(0, 4);
    const images = new Float32Array(4 * dataset.channels * dataset.size ** 2);
    const labels = new Int32Array(4);
    await dataset.fill({ images, labels, indices, augment: { seed: 3, epoch: 2 } });
    return { images, labels };
  }

  const sent = (known: OpenedAlready): OpenedAlready => JSON.parse(JSON.stringify(known));

  test("a data set sent as JSON is the one that was opened", async () => {
    const source = await photos("photos");
    writeFileSync(join(source, "class-0-torn.txt"), "no image");
    const first = await openDataset(source, { size: 16, test: 0.2, splitSeed: 5 });
    const again = await openAgain(sent(first.again!), { threads: 1 });
    expect(again).not.toBeNull();
    const { record, labels, train, validation, test, augmentation, preprocessing } = first;
    expect(again).toMatchObject({ record, labels, train, validation, test });
    expect(again).toMatchObject({ augmentation, preprocessing });
    expect(await batch(again!)).toEqual(await batch(first));
    again!.close();
    first.close();
  });

  test("a cache that is damaged or gone is not taken for it", async () => {
    const first = await openDataset(await photos("damaged"), { size: 12 });
    const known = first.again!;
    first.close();
    truncateSync(known.file, 5000);
    expect(await openAgain(known, { threads: 1 })).toBeNull();
    rmSync(known.file);
    expect(await openAgain(known, { threads: 1 })).toBeNull();
  });

  test("the trials of a study ask neither the folder nor its files again", async () => {
    const source = await photos("moved");
    const study = await openStudy(
      {
        ...{ formatVersion: 2, kind: "compare", optimizers: ["sgd@0.01"], seeds: [0], epochs: 1 },
        ...{ source: null, model: "vanilla", modelOptions: { widths: [4], hidden: 8 } },
        data: { size: 16, validation: 0.2, splitSeed: 0, augment: "default" },
        ...{ recipe: { batch: 8 }, answers: { samples: false }, threads: 1 },
      },
      { places: { source }, out: within("run") },
    );
    renameSync(source, `${source}-elsewhere`);
    try {
      const { run, failure } = await runStudy(study);
      expect(failure).toBeNull();
      expect(run.trials.map(({ trial }) => trial.status)).toEqual(["done"]);
    } finally {
      study.close();
    }
  });
});
