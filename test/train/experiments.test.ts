/** @file fit and compare on the synthetic images, against what they promise. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Dataset } from "../../src/data/types.ts";
import { openDataset } from "../../src/datasets/open.ts";
import { nativeBackend } from "../../src/engine/native/index.ts";
import { vanilla } from "../../src/models/index.ts";
import { adam, sgd } from "../../src/optimizers/index.ts";
import type { Backend } from "../../src/program/index.ts";
import type { RangeTestRecord, StudyEvent } from "../../src/record/index.ts";
import { triangular } from "../../src/schedules/index.ts";
import { compare } from "../../src/study/compare.ts";
import { fit } from "../../src/train/fit.ts";
import { engineAbsent } from "../cli/temporary.ts";

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  let folder: string;
  let dataset: Dataset;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "lrscope-lab-"));
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
  /** 204 training images: six batches of 32 and one of 12. */
  const UPDATES_PER_EPOCH = 7;

  describe("fit", () => {
    test("one event an update, one metrics line an epoch; the schedule is followed", async () => {
      const events: StudyEvent[] = [];
      const schedule = triangular({ base: 1e-3, max: 5e-3, stepSize: 4 });
      const { trial, metrics } = await fit({
        ...setup(),
        optimizer: sgd(),
        schedule,
        epochs: 2,
        onEvent: (event) => void events.push(event),
      });
      const updates = events.filter((event) => event.type === "update");
      expect(updates.map(({ lr }) => lr)).toEqual(
        Array.from({ length: 2 * UPDATES_PER_EPOCH }, (_, t) => schedule(t)),
      );
      expect(metrics.map(({ epoch, update }) => [epoch, update])).toEqual([
        [1, 7],
        [2, 14],
      ]);
      // Weighted by example: the last batch counts 12, the others 32.
      const first = updates.slice(0, 7).map(({ loss }) => loss!);
      const mean = first.reduce((sum, loss, i) => sum + loss * (i < 6 ? 32 : 12), 0) / 204;
      expect(metrics[0]!.trainLoss).toBeCloseTo(mean, 10);
      expect(trial).toMatchObject({ status: "done", updatesPerEpoch: 7, divergence: null });
    });

    test("drop last leaves the smaller batch out", async () => {
      const { trial } = await fit({ ...setup(), optimizer: sgd(), epochs: 1, dropLast: true });
      expect(trial.updatesPerEpoch).toBe(6);
    });

    test("learns, and its best weights are those of the best epoch", async () => {
      const best: number[] = [];
      const { metrics } = await fit({
        ...setup(),
        optimizer: adam({ learningRate: 1e-2 }),
        epochs: 8,
        onEvent(event) {
          if (event.type === "weights" && event.which === "best") best.push(event.epoch);
        },
      });
      const accuracies = metrics.map(({ validationAccuracy }) => validationAccuracy!);
      expect(Math.max(...accuracies)).toBeGreaterThan(0.6);
      expect(best.at(-1)).toBe(accuracies.indexOf(Math.max(...accuracies)) + 1);
    });

    test("the last checkpoint holds the optimizer's state, the best one the weights alone", async () => {
      const names: Record<string, string[]> = {};
      const { last } = await fit({
        ...setup(),
        optimizer: adam(),
        epochs: 1,
        sink: {
          weights({ which, weights }) {
            names[which] = [...weights.tensors.keys()];
          },
        },
      });
      const state = names.last!.filter((name) => !names.best!.includes(name));
      const parameters = names.best!.filter((name) => !name.includes("running_"));
      expect(state.sort()).toEqual(parameters.flatMap((name) => [`${name}:m`, `${name}:v`]).sort());
      expect(JSON.parse(last!.metadata.optimizer!).name).toBe("adam");
    });

    test("a diverged trial is a result, with the update and the rate", async () => {
      const { trial, metrics, last } = await fit({
        ...setup(),
        optimizer: sgd({ learningRate: 1e38 }),
        epochs: 3,
      });
      expect(trial.status).toBe("diverged");
      expect(trial.divergence).toMatchObject({ epoch: 1, learningRate: 1e38 });
      expect(metrics).toHaveLength(1);
      expect(metrics[0]).toMatchObject({ diverged: true, trainLoss: null });
      expect(last).toBeNull();
    });

    test("an abort ends it with an InterruptedError after the update under way", async () => {
      const controller = new AbortController();
      const finished: string[] = [];
      let updates = 0;
      const work = fit({
        ...setup(),
        optimizer: sgd(),
        epochs: 5,
        signal: controller.signal,
        onEvent(event) {
          if (event.type === "update" && ++updates === 3) controller.abort();
          if (event.type === "trial-finished") finished.push(event.trial.status);
        },
      });
      await expect(work).rejects.toMatchObject({ code: "INTERRUPTED", exitCode: 130 });
      expect(updates).toBe(3);
      expect(finished).toEqual(["interrupted"]);
    });

    test("an abort during validation ends it between two batches", async () => {
      const controller = new AbortController();
      let validated = 0;
      const watched: Dataset = {
        ...dataset,
        fill(options) {
          if (options.augment === undefined) {
            validated++;
            controller.abort();
          }
          return dataset.fill(options);
        },
      };
      const { signal } = controller;
      const work = fit({
        ...setup(),
        dataset: watched,
        batch: 8,
        optimizer: sgd(),
        epochs: 1,
        signal,
      });
      await expect(work).rejects.toMatchObject({ code: "INTERRUPTED" });
      // 52 images are 7 batches of 8: one was under way, the next being filled beside it.
      expect(validated).toBe(2);
    });

    test.each(["plan", "trial-started", "epoch", "weights", "trial-finished"] as const)(
      "a listener that fails at %s ends it with its own error, and the memory is freed",
      async (type) => {
        let open = 0;
        const { backend } = setup();
        const counted: Backend = {
          ...backend,
          async openSession(options) {
            const session = await backend.openSession(options);
            open++;
            const dispose = () => {
              open--;
              session.dispose();
            };
            return { ...session, dispose };
          },
        };
        let told = 0;
        const work = fit({
          ...setup(),
          backend: counted,
          optimizer: sgd(),
          epochs: 1,
          // From then on it fails at every event, as a full disk does.
          onEvent(event) {
            if (event.type === type || told > 0) throw new Error(`failure ${++told}`);
          },
        });
        await expect(work).rejects.toThrow("failure 1");
        expect(open).toBe(0);
      },
    );

    test.each(["epoch", "weights"] as const)(
      "a promise of %s that rejects ends the work, not the process; the end is announced",
      async (type) => {
        const ends: unknown[] = [];
        const work = fit({
          ...setup(),
          optimizer: sgd(),
          epochs: 50,
          async onEvent(event) {
            if (event.type === type) throw new Error(`no room for ${type}`);
            if (event.type === "trial-finished") ends.push(event.trial);
          },
        });
        await expect(work).rejects.toThrow(`no room for ${type}`);
        expect(ends).toMatchObject([
          { status: "failed", failure: `internal: no room for ${type}` },
        ]);
      },
    );

    test.each(["weights", "checkpoint"] as const)(
      "a sink that cannot take the %s ends it with its own error, at once or by a promise",
      async (part) => {
        const refusing = (refuse: () => never | Promise<never>) =>
          fit({ ...setup(), optimizer: sgd(), epochs: 50, sink: { [part]: refuse } });
        await expect(
          refusing(() => {
            throw new Error(`no room for ${part}`);
          }),
        ).rejects.toThrow(`no room for ${part}`);
        await expect(refusing(async () => Promise.reject(new Error("later")))).rejects.toThrow(
          "later",
        );
      },
    );

    test("weights and checkpoints reach the sink before an event says so", async () => {
      const order: string[] = [];
      await fit({
        ...setup(),
        optimizer: sgd(),
        epochs: 2,
        sink: {
          weights: ({ which, epoch }) => void order.push(`${which} ${epoch}`),
          async checkpoint({ record }) {
            await Promise.resolve();
            order.push(`checkpoint ${record.epoch}`);
          },
        },
        onEvent(event) {
          if (event.type === "weights") order.push(`event ${event.which} ${event.epoch}`);
          if (event.type === "checkpoint") order.push(`event checkpoint ${event.epoch}`);
        },
      });
      const at = order.indexOf("event checkpoint 1");
      expect(order.slice(0, at + 1)).toEqual(
        ["best 1", "checkpoint 1"].flatMap((kept) => [kept, `event ${kept}`]),
      );
      expect(order.slice(-2)).toEqual(["last 2", "event last 2"]);
    });

    test.each([
      [{ clip: 0 }, "clip must be a positive number; got 0"],
      [{ clip: Number.NaN }, "clip must be a positive number; got NaN"],
      [{ labelSmoothing: Number.NaN }, "labelSmoothing must be in [0, 1); got NaN"],
      [{ classWeights: [1, 2] }, "classWeights must be 4 numbers"],
    ])("refuses %o", async (wrong, message) => {
      await expect(fit({ ...setup(), ...wrong, optimizer: sgd(), epochs: 1 })).rejects.toThrow(
        message,
      );
    });

    test("validation loss is neither smoothed nor weighted by class", async () => {
      // Rate almost 0: the same weights in all three.
      const run = (extra: object) =>
        fit({ ...setup(), ...extra, optimizer: sgd({ learningRate: 1e-30 }), epochs: 1 });
      const plain = (await run({})).metrics[0]!;
      for (const extra of [{ labelSmoothing: 0.5 }, { classWeights: [1, 9, 1, 1] }]) {
        const other = (await run(extra)).metrics[0]!;
        expect(other.trainLoss).not.toBeCloseTo(plain.trainLoss!, 4);
        expect(other.validationLoss).toBe(plain.validationLoss);
        expect(other.validationAccuracy).toBe(plain.validationAccuracy);
      }
    });

    test("refuses a batch larger than the training split, with the remedy", async () => {
      await expect(fit({ ...setup(), batch: 205, optimizer: sgd(), epochs: 1 })).rejects.toThrow(
        "got 205 for 204 images. Use --batch 204 or less",
      );
    });

    test("refuses a network that does not fit the images", async () => {
      const network = vanilla({ classes: 5, channels: 3, size: 16, widths: [4], hidden: 8 });
      await expect(fit({ ...setup(), network, optimizer: sgd(), epochs: 1 })).rejects.toThrow(
        "5 outputs must match the 4 classes",
      );
    });
  });

  describe("compare", () => {
    const run = (extra: object = {}) =>
      compare({ ...setup(), epochs: 2, seeds: [0, 1], optimizers: ["sgd+clr", "adam"], ...extra });

    test("a cyclical arm takes its bounds from a range test, step size 4 epochs", async () => {
      const tests: RangeTestRecord[] = [];
      const { trials, rangeTests, summary } = await run({
        to: 10,
        onEvent(event: StudyEvent) {
          if (event.type === "range-test-finished") tests.push(event.record);
        },
      });
      expect(rangeTests).toEqual(tests);
      const { rate: maxLr } = tests[0]!.suggestion!.peak;
      const spec = { type: "triangular", base: maxLr / 6, max: maxLr, stepSize: 28 };
      expect(trials.map(({ trial }) => [trial.arm, trial.seed])).toEqual([
        ["sgd+clr", 0],
        ["adam", 0],
        ["sgd+clr", 1],
        ["adam", 1],
      ]);
      expect(trials[0]!.trial.schedule).toEqual(spec);
      expect(trials[1]!.trial.schedule).toMatchObject({ type: "constant" });
      expect(summary.optimizers.map(({ name, seeds }) => [name, seeds])).toEqual([
        ["sgd+clr", [0, 1]],
        ["adam", [0, 1]],
      ]);
    });

    test("given bounds need no range test", async () => {
      const { rangeTests, trials } = await run({ maxLr: 0.03, baseLr: 0.01, stepSize: 5 });
      expect(rangeTests).toEqual([]);
      expect(trials[0]!.trial.schedule).toEqual({
        type: "triangular",
        base: 0.01,
        max: 0.03,
        stepSize: 5,
      });
    });

    test("one arm that diverges does not end the others", async () => {
      const { summary } = await run({ optimizers: ["sgd@1e38", "adam"] });
      expect(summary.optimizers.map(({ diverged }) => diverged)).toEqual([2, 0]);
      expect(summary.optimizers[1]!.finalValidationAccuracy.mean).not.toBeNull();
    });

    test("arms of a seed begin from the same weights, whatever the optimizer's state", async () => {
      const { trials } = await run({ optimizers: ["sgd@1e-30", "adam@1e-30"], seeds: [0] });
      const [first, second] = trials.map(({ metrics }) => metrics[0]!.trainLoss!);
      expect(second).toBeCloseTo(first!, 6);
    });
  });
});
