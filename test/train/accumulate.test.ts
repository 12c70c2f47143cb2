/** @file Gradient accumulation: several micro-batches make the update of one large batch. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compileNetwork } from "../../src/compile/index.ts";
import type { Dataset } from "../../src/data/types.ts";
import { openDataset } from "../../src/datasets/open.ts";
import { nativeBackend } from "../../src/engine/native/index.ts";
import { referenceBackend } from "../../src/engine/reference/index.ts";
import {
  conv2d,
  dropout,
  flatten,
  linear,
  maxPool2d,
  network,
  relu,
  sequential,
} from "../../src/layers/index.ts";
import { vanilla } from "../../src/models/index.ts";
import { adam, lamb, type Optimizer, sgd } from "../../src/optimizers/index.ts";
import { fit } from "../../src/train/fit.ts";
import type { FitOptions } from "../../src/train/options.ts";
import { rangeTest } from "../../src/train/range-test.ts";
import { engineAbsent } from "../cli/temporary.ts";

/** No batch normalisation, so that no image's gradient depends on the others of its batch. */
const plain = network({
  name: "plain",
  inputShape: [3, 16, 16],
  classes: 4,
  layer: sequential([
    conv2d({ channels: 4, kernel: 3, padding: 1 }),
    relu(),
    maxPool2d({ kernel: 4 }),
    flatten(),
    linear({ features: 4 }),
  ]),
});

describe("the scalars of a micro-batch", () => {
  const compiled = compileNetwork({
    network: plain,
    backend: referenceBackend(),
    batch: 4,
    optimizer: adam(),
    accumulate: true,
    threads: 1,
  });
  const { train, gather } = compiled.programs;

  test("each program gets as many as it names; dropout draws by the micro-batch", () => {
    const values = { seed: 7, update: 2, learningRate: 0.1 };
    const first = compiled.scalars({
      ...values,
      microBatch: { share: 0.25, draw: 9, gathers: true },
    });
    const last = compiled.scalars({
      ...values,
      microBatch: { share: 0.75, draw: 10, gathers: false },
    });
    expect(gather!.scalars).toEqual(["seed", "update", "share"]);
    expect([...first]).toEqual([7, 9, 0.25]);
    expect(last).toHaveLength(train.scalars.length);
    expect([...last.slice(0, 2)]).toEqual([7, 10]);
    expect(last[train.scalars.indexOf("share")]).toBe(0.75);
    // Adam's bias correction counts updates, not micro-batches.
    expect(last[train.scalars.indexOf("1 - (beta1 ^ t)")]).toBeCloseTo(1 - 0.9 ** 3, 12);
  });

  test("without accumulation there is neither sum nor program for it", () => {
    const without = compileNetwork({
      network: plain,
      backend: referenceBackend(),
      batch: 4,
      optimizer: sgd(),
      threads: 1,
    });
    expect(without.programs.gather).toBeNull();
    expect(without.tensors.filter(({ role }) => role === "state")).toEqual([]);
  });

  test("what needs a second gradient is refused", () => {
    const twice: Optimizer = { ...sgd(), gradientEvaluations: 2 };
    const options = { network: plain, backend: referenceBackend(), batch: 4, threads: 1 };
    expect(() => compileNetwork({ ...options, optimizer: twice, accumulate: true })).toThrow(
      "sgd: it needs 2 gradients an update, which micro-batches cannot give",
    );
  });
});

const absent = engineAbsent();
describe.skipIf(absent)(`training${absent ? ` (${absent})` : ""}`, () => {
  let folder: string;
  let dataset: Dataset;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "lrscope-accumulate-"));
    dataset = await openDataset("synthetic", { size: 16, cacheDir: folder, threads: 1 });
  });
  afterAll(() => {
    dataset.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const setup = () => ({
    dataset,
    network: plain,
    backend: nativeBackend({ threads: 1 }),
    threads: 1,
  });
  const weights = async (
    options: Omit<FitOptions, "epochs" | "dataset" | "network" | "backend">,
  ) => {
    const { last, metrics } = await fit({ ...setup(), epochs: 1, ...options });
    const tensors = [...last!.tensors].filter(([name]) => !name.includes(":"));
    return { values: tensors.flatMap(([, { data }]) => Array.from(data as Float32Array)), metrics };
  };

  // 204 images: six updates of 32, and one of 12, which is micro-batches of 8 and 4.
  test.each([
    ["sgd", () => sgd({ learningRate: 0.05, momentum: 0.9 }), {}],
    ["sgd, clipped by norm", () => sgd({ learningRate: 1 }), { clip: 0.05 }],
    ["adam", () => adam({ learningRate: 1e-3, epsilon: 1e-3 }), {}],
    ["lamb", () => lamb({ learningRate: 1e-2, epsilon: 1e-3 }), {}],
    // As PyTorch's weighted mean over the whole batch: divided once, by the weights of all its images.
    ["sgd, classes weighed", () => sgd({ learningRate: 0.05 }), { classWeights: [5, 1, 1, 0.2] }],
  ])("%s: four batches of 8 are one of 32, within 1e-6", async (_, optimizer, more) => {
    const whole = await weights({ optimizer: optimizer(), batch: 32, ...more });
    const parts = await weights({ optimizer: optimizer(), batch: 8, accumulate: 4, ...more });
    const apart = whole.values.map((value, i) => Math.abs(value - parts.values[i]!));
    expect(Math.max(...apart)).toBeLessThan(1e-6);
    // What differs is the rounding alone, and there is some.
    const unlike = await weights({ optimizer: optimizer(), batch: 8, ...more });
    expect(
      Math.max(...whole.values.map((v, i) => Math.abs(v - unlike.values[i]!))),
    ).toBeGreaterThan(1e-4);
    const { trainLoss, trainAccuracy } = whole.metrics[0]!;
    expect(parts.metrics[0]!.update).toBe(7);
    expect(parts.metrics[0]!.trainLoss).toBeCloseTo(trainLoss!, 5);
    expect(parts.metrics[0]!.trainAccuracy).toBeCloseTo(trainAccuracy!, 9);
  });

  test("dropout draws anew for each micro-batch", async () => {
    // Whatever a mask of the first micro-batch keeps, the second does not keep the same.
    const dropping = network({
      name: "dropping",
      inputShape: [3, 16, 16],
      classes: 4,
      layer: sequential([flatten(), dropout({ p: 0.5 }), linear({ features: 4 })]),
    });
    const one = Int32Array.from({ length: 8 }, () => dataset.train[0]!);
    const same = { ...dataset, train: one, augmentation: "none" as const };
    const options = { network: dropping, optimizer: sgd({ learningRate: 0.1 }), dataset: same };
    const loss = async (batch: number, accumulate: number) =>
      (await fit({ ...setup(), ...options, epochs: 1, batch, accumulate })).metrics[0]!.trainLoss;
    // With equal masks the mean of two equal halves would be the half itself.
    const half = { ...options, dataset: { ...same, train: one.subarray(0, 4) } };
    const ofHalf = (await fit({ ...setup(), ...half, epochs: 1, batch: 4 })).metrics[0]!.trainLoss;
    expect(await loss(4, 2)).not.toBeCloseTo(ofHalf!, 6);
  });

  test("batch normalisation, the range test, and dropping the last update", async () => {
    const normalised = {
      ...setup(),
      network: vanilla({ classes: 4, channels: 3, size: 16, widths: [4, 8], hidden: 16 }),
    };
    const optimizer = adam({ learningRate: 1e-2 });
    const { metrics, trial } = await fit({
      ...normalised,
      optimizer,
      batch: 8,
      accumulate: 2,
      epochs: 5,
    });
    expect(trial.updatesPerEpoch).toBe(13);
    expect(metrics.at(-1)!.trainLoss).toBeLessThan(metrics[0]!.trainLoss!);
    const test = await rangeTest({
      ...normalised,
      optimizer,
      batch: 8,
      accumulate: 4,
      dropLast: true,
      ...{ from: 1e-7, to: 0.1, epochs: 2 },
    });
    expect(test.runs[0]!.points).toHaveLength(2 * 6);
    await expect(
      fit({ ...normalised, optimizer, batch: 64, accumulate: 4, dropLast: true, epochs: 1 }),
    ).rejects.toThrow("an update takes 4 batches of 64, more than the 204 images");
    await expect(
      fit({ ...normalised, optimizer, batch: 64, accumulate: 0, epochs: 1 }),
    ).rejects.toThrow("accumulate must be a positive integer; got 0");
  });
});
