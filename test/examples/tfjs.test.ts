/** @file examples/tfjs: lrscope's schedules and range-test rules drive another trainer. */

import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { modelRangeTest } from "../../examples/tfjs/range-test.ts";
import { followSchedules } from "../../examples/tfjs/schedule-callback.ts";
import { constant, oneCycle, piecewise, triangular } from "../../src/schedules/index.ts";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

const optimizers: readonly [string, () => tf.Optimizer][] = [
  ["sgd", () => tf.train.sgd(0.5)],
  ["momentum", () => tf.train.momentum(0.5, 0.9)],
  ["adagrad", () => tf.train.adagrad(0.5)],
  ["adadelta", () => tf.train.adadelta(0.5)],
  ["adam", () => tf.train.adam(0.5)],
  ["adamax", () => tf.train.adamax(0.5)],
  ["rmsprop", () => tf.train.rmsprop(0.5)],
];

/** y = w x + b on eight points; whatever the rate, a batch of two. */
function line(optimizer: tf.Optimizer, withNorm = false) {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ units: 1, inputShape: [1], kernelInitializer: "ones" }),
      ...(withNorm ? [tf.layers.batchNormalization()] : []),
    ],
  });
  model.compile({ optimizer, loss: "meanSquaredError" });
  const xs = tf.tensor2d([0, 1, 2, 3, 4, 5, 6, 7], [8, 1]);
  const ys = xs.mul(3).sub(1) as tf.Tensor2D;
  const fit = (callbacks: tf.CustomCallbackArgs, epochs: number) =>
    model.fit(xs, ys, { epochs, batchSize: 2, shuffle: false, verbose: 0, callbacks });
  const values = () => model.getWeights().map((weight) => Array.from(weight.dataSync()));
  return { model, xs, ys, fit, values };
}

describe("followSchedules", () => {
  test.each(optimizers)("%s: the rate of each update is the schedule's", async (_, make) => {
    const { model, fit, values } = line(make());
    // Rate 0 from update 4 on, so that nothing may move after the first epoch.
    const learningRate = piecewise({
      points: [
        [0, 1e-3],
        [2, 2e-3],
        [4, 0],
      ],
    });
    const before = values();
    await fit(followSchedules(model.optimizer, { learningRate }), 1);
    const moved = values();
    expect(moved).not.toEqual(before);
    await fit(followSchedules(model.optimizer, { learningRate, firstUpdate: 4 }), 2);
    expect(values()).toEqual(moved);
  });

  test("sgd: the weights are those of the rule by hand", async () => {
    const { model, fit, values } = line(tf.train.sgd(1));
    const learningRate = triangular({ base: 1e-3, max: 4e-3, stepSize: 3 });
    await fit(followSchedules(model.optimizer, { learningRate }), 2);
    let [w, b] = [1, 0];
    for (let t = 0; t < 8; t++) {
      const x = [2 * (t % 4), 2 * (t % 4) + 1];
      const errors = x.map((value) => w * value + b - (3 * value - 1));
      w -= learningRate(t) * (errors[0]! * x[0]! + errors[1]! * x[1]!);
      b -= learningRate(t) * (errors[0]! + errors[1]!);
    }
    expect(values()[0]![0]).toBeCloseTo(w, 4);
    expect(values()[1]![0]).toBeCloseTo(b, 4);
  });

  test("momentum follows a schedule too; a setting that there is not is refused", async () => {
    const optimizer = tf.train.momentum(0.1, 0.9);
    const { fit } = line(optimizer);
    const learningRate = constant(1e-3);
    const momentum = oneCycle({ max: 0.95, steps: 8, startDivisor: 2 });
    const { onBatchBegin, ...rest } = followSchedules(optimizer, {
      learningRate,
      others: { momentum },
    });
    const seen: number[] = [];
    await fit(
      {
        ...rest,
        async onBatchBegin(batch, logs) {
          await onBatchBegin?.(batch, logs);
          seen.push((optimizer as unknown as { momentum: number }).momentum);
        },
      },
      2,
    );
    expect(seen).toEqual(Array.from({ length: 8 }, (_, t) => momentum(t)));
    expect(() => followSchedules(tf.train.adam(), { learningRate, others: { momentum } })).toThrow(
      'Adam of tf.js has no "momentum"',
    );
  });
});

describe("modelRangeTest", () => {
  const batchOf = ({ xs, ys }: ReturnType<typeof line>) => ({
    batch: (update: number) => ({
      xs: xs.slice([2 * (update % 4), 0], [2, 1]) as tf.Tensor,
      ys: ys.slice([2 * (update % 4), 0], [2, 1]) as tf.Tensor,
    }),
  });

  // tf.js gives out the state of all optimizers but Adamax.
  const restorable = optimizers.filter(([name]) => name !== "adamax");
  test.each(restorable)("%s: what follows is as if it had not been made", async (_, make) => {
    const [tested, untouched] = [line(make(), true), line(make(), true)];
    const follow = (of: typeof tested, firstUpdate: number) =>
      of.fit(followSchedules(of.model.optimizer, { learningRate: constant(1e-2), firstUpdate }), 1);
    await follow(tested, 0);
    await follow(untouched, 0);
    const ramp = { from: 1e-5, to: 1, updates: 24, ...batchOf(tested) };
    const { points } = await modelRangeTest(tested.model, ramp);
    expect(points.length).toBeGreaterThan(10);
    expect(tested.values()).toEqual(untouched.values());
    await follow(tested, 4);
    await follow(untouched, 4);
    expect(tested.values()).toEqual(untouched.values());
  });

  test("adamax is refused before anything moves", async () => {
    const { model, values, ...rest } = line(tf.train.adamax(0.1));
    const before = values();
    const ramp = { from: 1e-5, to: 1, updates: 24, ...batchOf({ model, values, ...rest }) };
    await expect(modelRangeTest(model, ramp)).rejects.toThrow("not implemented for Adamax");
    expect(values()).toEqual(before);
  });

  test("an exponential ramp; bounds a tenth of the minimum's rate and a sixth of that; no leak", async () => {
    const one = line(tf.train.sgd(0.1));
    const options = { from: 1e-4, to: 10, updates: 60, ...batchOf(one) };
    await modelRangeTest(one.model, options);
    const tensors = tf.memory().numTensors;
    const { points, suggestion, unguarded } = await modelRangeTest(one.model, options);
    expect(tf.memory().numTensors).toBe(tensors);
    expect(points[0]!.lr).toBe(1e-4);
    expect(points[1]!.lr / points[0]!.lr).toBeCloseTo(1e5 ** (1 / 59), 9);
    // Gradient descent on this line diverges, and the curve ends with the last finite loss.
    expect(points.at(-1)!.lr).toBeLessThan(10);
    expect(points.at(-1)!.loss).toBeNull();
    // The batches, in their order, differ by more than the loss falls: nothing can be said of it.
    expect(suggestion).toBeNull();
    const { constant, peak } = unguarded!;
    expect(constant.rate).toBeGreaterThanOrEqual(1e-4);
    expect(peak.rate).toBeLessThanOrEqual(10);
    expect(peak.baseLr).toBeCloseTo(peak.rate / 6, 12);
  });
});

test("train.ts finds rates and learns with them", async () => {
  const said: string[] = [];
  const log = vi.spyOn(console, "log").mockImplementation((text: string) => void said.push(text));
  await import("../../examples/tfjs/train.ts").finally(() => log.mockRestore());
  expect(said[0]).toMatch(/^usable rates: [\d.e-]+ to [\d.e-]+$/);
  expect(said[1]).toContain('"minimum/10":');
  const accuracies = said[2]!.split(": ")[1]!.split(" ").map(Number);
  expect(accuracies).toHaveLength(8);
  expect(accuracies.at(-1)).toBeGreaterThan(0.85);
});
