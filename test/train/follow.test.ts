/** @file Hyperparameters that follow a schedule, reduction on plateaus, and the end of a schedule. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Dataset } from "../../src/data/types.ts";
import { openDataset } from "../../src/datasets/open.ts";
import { nativeBackend } from "../../src/engine/native/index.ts";
import { vanilla } from "../../src/models/index.ts";
import { adam, sgd } from "../../src/optimizers/index.ts";
import type { EpochMetrics, StudyEvent } from "../../src/record/index.ts";
import {
  constant,
  cosineDecay,
  inverseMomentum,
  linearRamp,
  oneCycle,
  reduceOnPlateau,
  triangular,
} from "../../src/schedules/index.ts";
import { fit } from "../../src/train/fit.ts";
import { ratesOf } from "../../src/train/rates.ts";
import { engineAbsent } from "../cli/temporary.ts";

const cycle = triangular({ base: 1e-3, max: 1e-2, stepSize: 4 });
const warn = () => undefined;

describe("ratesOf", () => {
  const common = { updates: 20, warn };

  test("momentum, or beta1, is cycled beside cyclical schedules and one-cycle, and no others", () => {
    const names = (options: Parameters<typeof ratesOf>[0]) =>
      Object.keys(ratesOf(options).hyperparameterSchedules);
    const momentum = sgd({ momentum: 0.9 });
    expect(names({ ...common, optimizer: momentum, schedule: cycle })).toEqual(["momentum"]);
    expect(names({ ...common, optimizer: adam(), schedule: cycle })).toEqual(["beta1"]);
    expect(names({ ...common, optimizer: sgd(), schedule: cycle })).toEqual([]);
    const one = oneCycle({ max: 0.1, steps: 20 });
    const { hyperparameters } = ratesOf({ ...common, optimizer: adam(), schedule: one }).after([]);
    expect(hyperparameters(0)).toEqual({ beta1: 0.95 });
    const cosine = cosineDecay({ peak: 0.1, steps: 20 });
    expect(names({ ...common, optimizer: momentum, schedule: cosine })).toEqual([]);
    const none = { ...common, optimizer: momentum, schedule: cycle, hyperparameterSchedules: {} };
    expect(names(none)).toEqual([]);
  });

  test.each([
    [{ momentum: constant(0.5) }, sgd(), "momentum shapes the update"],
    [{ beta3: constant(0.5) }, adam(), 'no hyperparameter "beta3" to schedule'],
    [{ learningRate: constant(0.5) }, adam(), "the rate is an argument of its own"],
    [{ beta1: constant(1) }, adam(), "beta1 must stay below 1; its schedule comes to 1"],
  ])("refuses %#", (hyperparameterSchedules, optimizer, message) =>
    expect(() => ratesOf({ ...common, optimizer, hyperparameterSchedules })).toThrow(message),
  );

  test("a plateau's state is a function of the epochs that are done", () => {
    const schedule = reduceOnPlateau({ rate: 0.1, factor: 0.5, patience: 1 });
    const rates = ratesOf({ ...common, optimizer: sgd(), schedule });
    const line = (validationLoss: number | null) => ({ validationLoss }) as EpochMetrics;
    const done = [1, 0.8, 0.9, null, 0.7].map(line);
    const used = done.map((_, i) => rates.after(done.slice(0, i)).learningRate(0));
    expect(used).toEqual([0.1, 0.1, 0.1, 0.1, 0.05]);
    expect(rates.plateauAfter(done)).toEqual({ rate: 0.05, best: 0.7, bad: 0, cooldown: 0 });
  });
});

const absent = engineAbsent();
describe.skipIf(absent)(`fit${absent ? ` (${absent})` : ""}`, () => {
  let folder: string;
  let dataset: Dataset;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "lrscope-follow-"));
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
  const weights = (result: Awaited<ReturnType<typeof fit>>) =>
    [...result.last!.tensors].map(([name, { data }]) => [name, data]);

  test("a constant schedule of momentum is that momentum, another is not; both are recorded", async () => {
    const run = (momentum: number, hyperparameterSchedules: object) =>
      fit({
        ...setup(),
        optimizer: sgd({ learningRate: 0.01, momentum }),
        epochs: 1,
        ...hyperparameterSchedules,
      });
    const plain = await run(0.8, {});
    const followed = await run(0.5, { hyperparameterSchedules: { momentum: constant(0.8) } });
    const other = await run(0.5, {
      hyperparameterSchedules: { momentum: linearRamp({ from: 0.8, to: 0.3, steps: 7 }) },
    });
    expect(weights(followed)).toEqual(weights(plain));
    expect(weights(other)).not.toEqual(weights(plain));
    expect(followed.trial.hyperparameterSchedules).toEqual({
      momentum: { type: "constant", rate: 0.8 },
    });
    expect(plain.trial).not.toHaveProperty("hyperparameterSchedules");
    expect(JSON.parse(other.last!.metadata.hyperparameterSchedules!).momentum.type).toBe(
      "linearRamp",
    );
  });

  test("resumed after an epoch, momentum and plateau go on to the same bits", async () => {
    for (const schedule of [cycle, reduceOnPlateau({ rate: 0.05, patience: 0, threshold: 0.2 })]) {
      const optimizer = sgd({ momentum: 0.9 });
      const options = { ...setup(), optimizer, schedule, epochs: 4 };
      const straight = await fit(options);
      const half = await fit({ ...options, epochs: 2 });
      const from = {
        metrics: half.metrics,
        checkpoint: half.last!,
        msPerStep: null,
        seconds: 0,
        bestKept: null,
      };
      const resumed = await fit({ ...options, from });
      expect(weights(resumed)).toEqual(weights(straight));
      expect(resumed.last!.metadata.plateau).toEqual(straight.last!.metadata.plateau);
    }
  });

  test("a plateau lowers the rate of whole epochs, and its state is in the checkpoint", async () => {
    // No loss is ever better by half, so each epoch after the first lowers the rate.
    const schedule = reduceOnPlateau({ rate: 0.01, factor: 0.1, patience: 0, threshold: 0.99 });
    const { metrics, trial, last } = await fit({
      ...setup(),
      optimizer: sgd(),
      schedule,
      epochs: 3,
    });
    const rates = metrics.map(({ lr }) => lr);
    expect(rates).toEqual([0.01, 0.01, expect.closeTo(0.001, 12)]);
    expect(trial.schedule).toMatchObject({ type: "reduceOnPlateau", factor: 0.1 });
    expect(JSON.parse(last!.metadata.plateau!)).toMatchObject({ rate: expect.closeTo(1e-4, 12) });
  });

  test("a run past the end of its schedule says so once, and stays at the last rate", async () => {
    const events: StudyEvent[] = [];
    const { metrics } = await fit({
      ...setup(),
      optimizer: sgd({ momentum: 0.5 }),
      schedule: cosineDecay({ peak: 0.01, floor: 1e-4, steps: 5 }),
      hyperparameterSchedules: { momentum: inverseMomentum(cycle) },
      epochs: 2,
      onEvent: (event) => void events.push(event),
    });
    const warnings = events.filter((event) => event.type === "warning");
    expect(warnings).toHaveLength(1);
    expect(warnings[0]!.message).toContain("update 5 is past its end; it is made for 5 updates");
    expect(metrics.at(-1)!.lr).toBe(1e-4);
  });
});
