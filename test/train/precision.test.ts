/**
 * @file Training in bf16 through the library: from images and from kept features, frozen, averaged,
 * accumulated and as a range test. The same bits each time; numbers near those of fp32.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ArgumentError } from "../../src/core/errors.ts";
import type { Dataset } from "../../src/data/types.ts";
import { openDataset } from "../../src/datasets/open.ts";
import { nativeBackend } from "../../src/engine/native/index.ts";
import { vanilla } from "../../src/models/index.ts";
import { adam, sgd } from "../../src/optimizers/index.ts";
import { compare } from "../../src/study/compare.ts";
import { cacheFeatures } from "../../src/study/features.ts";
import { fit } from "../../src/train/fit.ts";
import type { TrainingSetup } from "../../src/train/options.ts";
import { rangeTest } from "../../src/train/range-test.ts";
import { engineAbsent } from "../cli/temporary.ts";
import { network, pretrained } from "./tiny-transfer.ts";

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  let folder: string;
  let dataset: Dataset;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "lrscope-precision-"));
    dataset = await openDataset("synthetic", { size: 16, limit: 40, cacheDir: folder, threads: 1 });
  });
  afterAll(() => {
    dataset.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const setup = (options: Partial<TrainingSetup> = {}): TrainingSetup => ({
    dataset: { ...dataset, close: () => undefined },
    network: vanilla({
      classes: dataset.classes.length,
      channels: 3,
      size: 16,
      widths: [8, 12],
      hidden: 16,
    }),
    backend: nativeBackend({ threads: 1, emulateBf16: true }),
    threads: 1,
    batch: 16,
    precision: "bf16",
    ...options,
  });
  const losses = async (options: Partial<TrainingSetup> = {}) => {
    const { metrics } = await fit({ ...setup(options), optimizer: adam(), epochs: 2, seed: 3 });
    return metrics.flatMap(({ trainLoss, validationLoss }) => [trainLoss!, validationLoss!]);
  };
  const transfer = () => ({ network: network(), pretrained: pretrained(), trainFrom: "layer2" });

  test.each([
    ["a whole network", {}],
    ["micro-batches and an average", { accumulate: 2, average: { kind: "ema", decay: 0.9 } }],
  ] as const)("%s: equal bits twice, and near fp32", async (_, options) => {
    const first = await losses(options);
    expect(await losses(options)).toEqual(first);
    const single = await losses({ ...options, precision: "fp32" });
    expect(first).not.toEqual(single);
    for (const [i, loss] of single.entries()) expect(first[i]).toBeCloseTo(loss, 1);
  });

  test("from a module on: what is frozen changes by no bit, and features can be kept", async () => {
    const first = await losses(transfer());
    const single = await losses({ ...transfer(), precision: "fp32" });
    for (const [i, loss] of single.entries()) expect(first[i]).toBeCloseTo(loss, 1);
    const kept = await cacheFeatures(setup(transfer()), { views: 1, cacheDir: folder });
    const whole = await cacheFeatures(setup({ ...transfer(), precision: "fp32" }), {
      views: 1,
      cacheDir: folder,
    });
    // Files of their own, as the features are not the same.
    expect([kept.features!.found, whole.features!.found]).toEqual([false, false]);
    const { metrics } = await fit({ ...kept, optimizer: sgd(), epochs: 1 });
    expect(Number.isFinite(metrics[0]!.trainLoss)).toBe(true);
  });

  test("a range test and a comparison", async () => {
    const found = await rangeTest({ ...setup(), optimizer: sgd(), epochs: 1 });
    expect(found.runs[0]!.points.every(({ loss }) => Number.isFinite(loss))).toBe(true);
    const { experiment } = await compare({
      ...setup(),
      optimizers: ["sgd@0.01"],
      epochs: 1,
      seeds: [0],
    });
    expect(experiment.protocol.precision).toBe("bf16");
  });

  test.skipIf(nativeBackend().capabilities.bf16)(
    "refused, with the reason, where the processor has none",
    async () => {
      const refused = expect(losses({ backend: nativeBackend({ threads: 1 }) })).rejects;
      await refused.toBeInstanceOf(ArgumentError);
      await refused.toThrow('precision "bf16" needs a processor with AVX512-BF16 or AMX');
    },
  );
});
