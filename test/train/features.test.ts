/** @file Training from kept features: what training from images does, but for bfloat16; and the same bits twice. */

import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Dataset } from "../../src/data/types.ts";
import { openDataset } from "../../src/datasets/open.ts";
import { nativeBackend } from "../../src/engine/native/index.ts";
import { encodeSafetensors } from "../../src/formats/index.ts";
import { sgd } from "../../src/optimizers/index.ts";
import { describeExperiment } from "../../src/study/experiment.ts";
import { cacheFeatures } from "../../src/study/features.ts";
import { confusionOf } from "../../src/study/stored/from-checkpoint.ts";
import { fit } from "../../src/train/fit.ts";
import type { TrainingSetup } from "../../src/train/options.ts";
import { engineAbsent } from "../cli/temporary.ts";
import { network, pretrained } from "./tiny-transfer.ts";

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  let folder: string;
  /** As they are, and augmented. */
  let plain: Dataset;
  let photos: Dataset;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "lrscope-features-"));
    const options = { size: 16, limit: 20, cacheDir: folder, threads: 1 };
    plain = await openDataset("synthetic", { ...options, augment: "none" });
    photos = await openDataset("synthetic", options);
  });
  afterAll(() => {
    plain.close();
    photos.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const setup = (dataset: Dataset, options: Partial<TrainingSetup> = {}): TrainingSetup => ({
    // Several data sets over the same images: they are closed at the end.
    dataset: { ...dataset, close: () => undefined },
    network: network(),
    backend: nativeBackend({ threads: 1 }),
    threads: 1,
    batch: 16,
    pretrained: pretrained(),
    trainFrom: "layer2",
    ...options,
  });
  const cached = (of: TrainingSetup, views: number) =>
    cacheFeatures(of, { views, cacheDir: folder });
  const filesOf = () =>
    readdirSync(join(folder, "features")).map((name) => join(folder, "features", name));

  /** Losses of all updates, and what training leaves. */
  async function trained(of: TrainingSetup, options: Partial<Parameters<typeof fit>[0]> = {}) {
    const losses: number[] = [];
    const result = await fit({
      ...of,
      optimizer: sgd({ learningRate: 0.05, momentum: 0.9 }),
      epochs: 3,
      ...options,
      onEvent: (event) => void (event.type === "update" && losses.push(event.loss!)),
    });
    return { losses, ...result, bytes: encodeSafetensors(result.last!) };
  }

  test.each(["layer2", "head"])(
    "from %s on: the losses of training from images",
    async (trainFrom) => {
      const images = setup(plain, { trainFrom });
      const features = await cached(images, 1);
      const optimizer = sgd({ learningRate: 0.01 });
      const direct = await trained(images, { optimizer });
      const kept = await trained(features, { optimizer });
      features.dataset.close();
      expect(kept.losses).toHaveLength(12);
      for (const [i, loss] of kept.losses.entries())
        expect(Math.abs(loss - direct.losses[i]!)).toBeLessThan(0.01);
      expect(kept.losses.at(-1)).toBeLessThan(kept.losses[0]!);
      expect(kept.losses).not.toEqual(direct.losses);
    },
  );

  test("the same bits from a cache that is made, found, and made again", async () => {
    const made = await cached(setup(photos), 2);
    expect(made.features!.found).toBe(false);
    const first = await trained(made);
    const found = await cached(setup(photos), 2);
    expect(found.features).toMatchObject({ found: true, seconds: made.features!.seconds });
    expect((await trained(found)).bytes).toEqual(first.bytes);
    const newest = filesOf().find((file) => readFileSync(file).length === found.features!.bytes)!;
    const before = readFileSync(newest);
    truncateSync(newest, before.length / 2);
    const again = await cached(setup(photos), 2);
    expect(again.features!.found).toBe(false);
    expect((await trained(again)).bytes).toEqual(first.bytes);
    for (const one of [made, found, again]) one.dataset.close();
  });

  test("goes on from a checkpoint to the same bits", async () => {
    const kept = await cached(setup(photos), 2);
    const whole = await trained(kept);
    const part = await trained(kept, { epochs: 1 });
    const from = {
      metrics: part.metrics,
      checkpoint: part.last!,
      msPerStep: 1,
      seconds: 1,
      bestKept: null,
    };
    expect((await trained(kept, { from })).bytes).toEqual(whole.bytes);
    kept.dataset.close();
  });

  test("a checkpoint is the whole network's, and predicts from images", async () => {
    const images = setup(plain);
    const kept = await cached(images, 1);
    const { last, metrics, bytes } = await trained(kept);
    const whole = images.network
      .build(1)
      .tensors.filter(({ role }) => role === "parameter" || role === "statistic")
      .map(({ name }) => name);
    expect([...last!.tensors.keys()].filter((name) => !name.includes(":")).sort()).toEqual(
      whole.sort(),
    );
    const checkpoint = join(folder, "last.safetensors");
    writeFileSync(checkpoint, bytes);
    const { backend } = images;
    const { counts } = await confusionOf({ checkpoint, dataset: plain, backend, threads: 1 });
    const right = counts.reduce((sum, row, i) => sum + row[i]!, 0);
    const accuracy = right / plain.validation.length;
    // One image may lie so near to a boundary that bfloat16 decides it.
    expect(Math.abs(accuracy - metrics.at(-1)!.validationAccuracy!)).toBeLessThan(
      1.5 / plain.validation.length,
    );
    expect(accuracy).toBeGreaterThan(1 / plain.classes.length);
    kept.dataset.close();
  });

  test("an image is seen in its views, drawn anew in each epoch; others as they are", async () => {
    const { dataset, network: rest } = await cached(setup(photos), 2);
    const length = rest.inputShape.reduce((product, extent) => product * extent, 1);
    const look = async (image: number, augment?: { seed: number; epoch: number }) => {
      const images = new Float32Array(2 * length);
      const labels = new Int32Array(2);
      const indices = Int32Array.of(image);
      await dataset.fill({ images, labels, indices, ...(augment ? { augment } : {}) });
      expect([...labels]).toEqual([dataset.labels[image], -1]);
      return images.subarray(0, length).join();
    };
    const image = dataset.train[3]!;
    const epochs = Array.from({ length: 12 }, (_, i) => look(image, { seed: 1, epoch: i + 1 }));
    const seen = await Promise.all(epochs);
    expect(new Set(seen).size).toBe(2);
    expect(await look(image, { seed: 1, epoch: 5 })).toBe(seen[4]);
    await expect(look(image)).rejects.toThrow("augmented views only");
    const other = dataset.validation[0]!;
    expect(await look(other)).toBe(await look(other, { seed: 1, epoch: 1 }));
    dataset.close();
  });

  test("is recorded with its own cost; model and data are those of the whole", async () => {
    const images = setup(photos);
    const kept = await cached(images, 2);
    const describe = (of: TrainingSetup) =>
      describeExperiment({
        study: { kind: "train", epochs: 1, seeds: [0] },
        setup: of,
        arms: [],
      });
    const [direct, record] = [describe(images), describe(kept)];
    expect(record.model).toEqual(direct.model);
    expect(record.dataset).toEqual(direct.dataset);
    expect(record.protocol).toEqual({ ...direct.protocol, cacheFeatures: 2 });
    expect(record.features).toMatchObject({ views: 2, bytes: kept.features!.bytes });
    kept.dataset.close();
  });

  test("is refused where features would not be the same in every update", async () => {
    const refusals: [Partial<TrainingSetup>, number, string][] = [
      [{ frozenBatchNorm: "train" }, 2, "--frozen-batch-norm train"],
      [{ trainFrom: "all" }, 2, "--train-from all"],
      [{ trainFrom: "conv1" }, 2, "nothing comes before it"],
      [{}, 0, "views must be a positive integer"],
    ];
    for (const [options, views, message] of refusals)
      await expect(cached(setup(photos, options), views)).rejects.toThrow(message);
    await expect(cached(setup(plain), 2)).rejects.toThrow("all would be the same; use 1");
    const { pretrained: _, ...drawn } = setup(photos);
    await expect(cached(drawn, 2)).rejects.toThrow("add --pretrained FILE");
  });
});
