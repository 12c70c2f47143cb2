/** @file Averages, snapshots and evaluation weights in a training run, on the synthetic images. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Dataset } from "../../src/data/types.ts";
import { openDataset } from "../../src/datasets/open.ts";
import { nativeBackend } from "../../src/engine/native/index.ts";
import {
  type Checkpoint,
  type CheckpointInParts,
  encodeSafetensors,
  safetensorsInParts,
} from "../../src/formats/index.ts";
import { vanilla } from "../../src/models/index.ts";
import { createOptimizer, sgd } from "../../src/optimizers/index.ts";
import { constant, cosineDecay, triangular, warmup } from "../../src/schedules/index.ts";
import { fit, fitForSink } from "../../src/train/fit.ts";
import type { FitOptions } from "../../src/train/options.ts";
import { openTrainer } from "../../src/train/trainer.ts";
import type { WeightsSink } from "../../src/train/weights-sink.ts";
import { engineAbsent } from "../cli/temporary.ts";

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  let folder: string;
  let dataset: Dataset;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "lrscope-average-"));
    dataset = await openDataset("synthetic", { size: 16, cacheDir: folder, threads: 1 });
  });
  afterAll(() => {
    dataset.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const setup = () => ({
    dataset,
    network: vanilla({ classes: 4, channels: 3, size: 16, widths: [4, 8], hidden: 16 }),
    backend: nativeBackend({ threads: 1 }),
    threads: 1,
    batch: 32,
  });
  /** 204 training images: six batches of 32 and one of 12. A cycle is two epochs. */
  const cyclical = (more: Partial<FitOptions>): FitOptions => ({
    ...setup(),
    optimizer: sgd({ momentum: 0.9 }),
    schedule: triangular({ base: 1e-3, max: 0.05, stepSize: 7 }),
    epochs: 4,
    ...more,
  });

  test("an average and an ensemble are validated beside the weights, which they leave as they are", async () => {
    const written = new Map<string, Checkpoint>();
    const sink: WeightsSink = { weights: ({ which, weights }) => void written.set(which, weights) };
    const plain = await fit(cyclical({}));
    const { metrics, trial } = await fit(
      cyclical({ average: { kind: "swa" }, snapshots: true, sink }),
    );
    for (const [i, line] of metrics.entries()) {
      const { validationLoss, trainLoss } = plain.metrics[i]!;
      expect(line).toMatchObject({ validationLoss, trainLoss });
    }
    // The first cycle ends with update 15, the first of epoch 3: one point, which is no average yet.
    expect(metrics.map((line) => line.averagedValidationAccuracy !== undefined)).toEqual([
      false,
      false,
      false,
      true,
    ]);
    expect(metrics.map((line) => line.ensembleSnapshots)).toEqual([undefined, 1, undefined, 2]);
    // One snapshot is the network itself.
    expect(metrics[1]!.ensembleValidationAccuracy).toBeCloseTo(metrics[1]!.validationAccuracy!, 12);
    expect(trial).toMatchObject({ average: { kind: "swa" }, snapshots: true });
    const [averaged, last] = [written.get("averaged")!, written.get("last")!];
    const name = "features.0.weight";
    expect(averaged.tensors.get(name)!.data).toEqual(last.tensors.get(`${name}:average`)!.data);
    expect(averaged.tensors.get(name)!.data).not.toEqual(last.tensors.get(name)!.data);
    expect(averaged.tensors.has(`${name}:average`)).toBe(false);
  });

  test("one point is never an average: a run that ends before the second has none, a warm-up makes none", async () => {
    const names = new Set<string>();
    const sink: WeightsSink = { weights: ({ which }) => void names.add(which) };
    const short = await fit(cyclical({ average: { kind: "swa" }, targetAccuracy: 1e-9, sink }));
    expect(short.metrics).toHaveLength(1);
    expect(names).toEqual(new Set(["best", "last"]));

    const written = new Map<string, Checkpoint>();
    const schedule = warmup(cosineDecay({ peak: 0.05, steps: 24 }), { steps: 4 });
    await fit(
      cyclical({
        ...{ schedule, average: { kind: "swa" } },
        sink: { weights: ({ which, weights }) => void written.set(which, weights) },
      }),
    );
    const name = "features.0.weight";
    const [averaged, last] = ["averaged", "last"].map(
      (which) => written.get(which)!.tensors.get(name)!.data,
    );
    expect(averaged).not.toEqual(last);
  });

  test("a run that goes on from a checkpoint ends as the one that was not interrupted", async () => {
    const options = { average: { kind: "ema", decay: 0.9 }, snapshots: true } as const;
    const saved: { checkpoint: Checkpoint; metrics: FitOptions["from"] }[] = [];
    const sink: WeightsSink = {
      checkpoint({ record: { metrics }, weights: checkpoint }) {
        const from = { metrics, checkpoint, msPerStep: null, seconds: 0, bestKept: 1 };
        saved.push({ checkpoint, metrics: from });
      },
    };
    const straight = await fit(cyclical({ ...options, sink }));
    const resumed = await fit(cyclical({ ...options, from: saved[1]!.metrics! }));
    const numbers = ({ metrics }: typeof straight) => metrics.map(({ seconds, ...line }) => line);
    expect(numbers(resumed)).toEqual(numbers(straight));
    expect([...resumed.last!.tensors]).toEqual([...straight.last!.tensors]);
  });

  test.each([
    [
      "momentum, an average and snapshots",
      { average: { kind: "ema", decay: 0.9 }, snapshots: true },
    ],
    ["Schedule-Free", { optimizer: createOptimizer("schedule-free-sgd"), schedule: constant(0.2) }],
  ] as const)("weights that are read out in parts are those held whole: %s", async (_, more) => {
    const whole: Record<string, Uint8Array> = {};
    const read: Record<string, Uint8Array> = {};
    const { last } = await fit(
      cyclical({
        ...more,
        sink: {
          weights: ({ which, epoch, weights }) => {
            whole[`${which} ${epoch}`] = encodeSafetensors(weights);
          },
          checkpoint: ({ record, weights }) => {
            whole[`checkpoint ${record.epoch}`] = encodeSafetensors(weights);
          },
        },
      }),
    );
    const bytesOf = async (weights: CheckpointInParts) => {
      const pieces: Uint8Array[] = [];
      for await (const piece of safetensorsInParts(weights)) pieces.push(piece.slice());
      return new Uint8Array(Buffer.concat(pieces));
    };
    const inParts = await fitForSink(
      cyclical({
        ...more,
        sink: {
          async weightsInParts({ which, epoch, weights }) {
            read[`${which} ${epoch}`] = await bytesOf(weights);
          },
          async checkpointInParts({ record, weights }) {
            read[`checkpoint ${record.epoch}`] = await bytesOf(weights);
          },
        },
      }),
    );
    expect(Object.keys(whole).length).toBeGreaterThan(5);
    expect(read).toEqual(whole);
    expect(encodeSafetensors(last!)).toEqual(whole["last 4"]);
    expect(inParts.last).toBeNull();
  });

  test("snapshots without cycles, and a decay of 1, are refused before the first update", async () => {
    await expect(fit({ ...setup(), optimizer: sgd(), epochs: 1, snapshots: true })).rejects.toThrow(
      "snapshots: are taken at the ends of a schedule's cycles",
    );
    await expect(fit(cyclical({ average: { kind: "ema", decay: 1 } }))).rejects.toThrow(
      "average: decay",
    );
  });

  test("Schedule-Free: statistics are those of the evaluated weights, whatever they were", async () => {
    const trainer = await openTrainer(setup(), createOptimizer("schedule-free-sgd"), 0);
    try {
      await trainer.trainEpoch({ epoch: 1, learningRate: () => 0.2, onUpdate: () => true });
      const statistics = async () =>
        (await trainer.read()).filter(({ name }) => /running_(mean|var)$/.test(name));
      const trained = await statistics();
      const evaluated = await trainer.evaluate(dataset.validation);
      const taken = await statistics();
      expect(trained.length).toBe(4);
      expect(taken).not.toEqual(trained);
      expect(await trainer.evaluate(dataset.validation)).toEqual(evaluated);
      expect(await statistics()).toEqual(taken);
      // What is read for prediction is x, and not the parameter.
      const state = new Map(
        (await trainer.read({ state: true })).map(({ name, data }) => [name, data]),
      );
      const weights = new Map((await trainer.read()).map(({ name, data }) => [name, data]));
      expect(weights.get("features.0.weight")).toEqual(state.get("features.0.weight:x"));
      expect(weights.get("features.0.weight")).not.toEqual(state.get("features.0.weight"));
    } finally {
      trainer.dispose();
    }
  });

  test("what begins as a copy of a parameter begins as the weights that are given", async () => {
    const name = "features.0.weight";
    const values = new Float32Array(4 * 3 * 3 * 3).fill(0.25);
    const pretrained = { tensors: new Map([[name, values]]) } as never;
    const trainer = await openTrainer(
      { ...setup(), pretrained },
      createOptimizer("schedule-free-adamw"),
      0,
    );
    const state = new Map(
      (await trainer.read({ state: true })).map((tensor) => [tensor.name, tensor.data]),
    );
    trainer.dispose();
    for (const copy of [name, `${name}:x`, `${name}:z`]) expect(state.get(copy)).toEqual(values);
  });

  test("groups, clipping by value and decay without biases reach the update", async () => {
    const options = { ...setup(), optimizer: sgd({ weightDecay: 0.5 }), epochs: 1 };
    const weights = async (more: Partial<FitOptions>) =>
      (await fit({ ...options, ...more })).last!.tensors;
    const started = await openTrainer(options, options.optimizer, 0);
    const initial = new Map((await started.read()).map(({ name, data }) => [name, data]));
    started.dispose();
    const frozen = await weights({
      parameterGroups: [{ prefix: "features", learningRateScale: 0 }],
    });
    expect(frozen.get("features.0.weight")!.data).toEqual(initial.get("features.0.weight"));
    const [plain, clipped, spared] = [
      await weights({}),
      await weights({ clipValue: 1e-6 }),
      await weights({ decayBiasesAndNorms: false, clipValue: 1e-12 }),
    ];
    expect(plain.get("features.0.weight")!.data).not.toEqual(
      clipped.get("features.0.weight")!.data,
    );
    // Neither a gradient worth the name nor decay: a norm's gamma is where it began, weights are not.
    expect(spared.get("features.1.weight")!.data).toEqual(initial.get("features.1.weight"));
    expect(spared.get("features.0.weight")!.data).not.toEqual(initial.get("features.0.weight"));
    expect(clipped.get("features.1.weight")!.data).not.toEqual(initial.get("features.1.weight"));
  });
});
