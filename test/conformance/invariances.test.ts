/**
 * @file What a rule's own paper says does not change its updates: the scale of the gradients, their
 * size beside their sign, the scale of a layer, a rotation. In float64, with epsilons out of the way.
 */

import { describe, expect, test } from "vitest";
import { referenceBackend } from "../../src/engine/reference/index.ts";
import { createOptimizer } from "../../src/optimizers/index.ts";
import { dyadics } from "../parity/dyadic.ts";
import { openOptimizerRun } from "../parity/optimizer-program.ts";

const backend = referenceBackend({ precision: "f64" });
const ROWS = 4;
const COLUMNS = 6;
const COUNT = ROWS * COLUMNS;
const UPDATES = 6;
const initial = dyadics(COUNT, 1);
const gradientOf = (update: number) => dyadics(COUNT, 10 + update);

/** Parameters after some updates of a matrix, whose gradients `change` has changed. */
async function trained(
  name: string,
  hyperparameters: Readonly<Record<string, number>>,
  options: {
    change?: (gradient: Float64Array, update: number) => Float64Array;
    begin?: Float64Array;
    rate?: number;
  } = {},
): Promise<Float64Array> {
  const { change = (gradient) => gradient, begin = initial, rate = 0.01 } = options;
  const run = await openOptimizerRun({
    optimizer: createOptimizer(name, hyperparameters),
    backend,
    sizes: [[ROWS, COLUMNS]],
    scales: [{ isWeight: true }],
  });
  await run.begin([begin]);
  for (let update = 0; update < UPDATES; update++) {
    await run.session.write(run.gradients[0]!, change(gradientOf(update), update));
    await run.step(update, rate);
  }
  return Float64Array.from(run.session.readDouble(run.parameters[0]!));
}

/** Equal to a hundred-thousandth of how far they moved, which is not nothing. */
function expectEqual(actual: Float64Array, expected: Float64Array): void {
  const moved = Math.max(...expected.map((value, i) => Math.abs(value - initial[i]!)));
  expect(moved).toBeGreaterThan(1e-7);
  for (const [i, value] of expected.entries())
    expect(Math.abs(actual[i]! - value), `element ${i}`).toBeLessThan(1e-5 * moved);
}

const times = (factor: number) => (gradient: Float64Array) =>
  gradient.map((value) => value * factor);

describe("the scale of all gradients", () => {
  /** Epsilons as small as float32 has them, so that they do not enter. */
  const tiny = 1e-30;
  test.each([
    ["adagrad", { epsilon: tiny }],
    ["rmsprop", { epsilon: tiny }],
    ["adam", { epsilon: tiny }],
    ["adamax", { epsilon: tiny }],
    ["nadam", { epsilon: tiny }],
    ["adamw", { epsilon: tiny }],
    ["lion", {}],
    ["lars", { weightDecay: 0, epsilon: tiny }],
    ["lamb", { epsilon: tiny }],
    ["prodigy", { epsilon: tiny }],
    ["muon", {}],
    ["schedule-free-adamw", { epsilon: tiny }],
  ])("%s does not see it", async (name, hyperparameters) => {
    const plain = await trained(name, hyperparameters);
    expectEqual(await trained(name, hyperparameters, { change: times(8) }), plain);
  });

  test.each(["sgd", "schedule-free-sgd"])(
    "%s follows it, as the rate times as much would",
    async (name) => {
      const scaled = await trained(name, {}, { change: times(8), rate: 0.01 });
      expectEqual(scaled, await trained(name, {}, { rate: 0.08 }));
    },
  );
});

describe("the scale of single elements", () => {
  test.each([
    ["adagrad", { epsilon: 1e-30 }],
    ["rmsprop", { epsilon: 1e-30 }],
    ["adam", { epsilon: 1e-30 }],
    ["adamax", { epsilon: 1e-30 }],
  ])("%s: each has a rate of its own", async (name, hyperparameters) => {
    const plain = await trained(name, hyperparameters);
    const change = (gradient: Float64Array) => gradient.map((value, i) => value * 2 ** (i % 5));
    expectEqual(await trained(name, hyperparameters, { change }), plain);
  });

  test("lion's first update sees signs alone", async () => {
    const signs = (gradient: Float64Array, update: number) =>
      update === 0 ? gradient.map(Math.sign) : new Float64Array(COUNT);
    const sizes = (gradient: Float64Array, update: number) =>
      update === 0 ? gradient : new Float64Array(COUNT);
    const settings = { beta1: 0, beta2: 0 };
    expectEqual(
      await trained("lion", settings, { change: sizes }),
      await trained("lion", settings, { change: signs }),
    );
  });
});

test("lars and lamb: a layer 4 times as large moves 4 times as far", async () => {
  for (const name of ["lars", "lamb"]) {
    const settings = { weightDecay: 0, epsilon: 1e-30 };
    const plain = await trained(name, settings);
    const large = await trained(name, settings, { begin: initial.map((value) => 4 * value) });
    expectEqual(
      large.map((value) => value / 4),
      plain,
    );
  }
});

test("muon: gradients rotated are updates rotated", async () => {
  const [cos, sin] = [0.6, 0.8];
  /** Rows 0 and 1 of a matrix turned into each other. */
  const rotated = (matrix: Float64Array) => {
    const turned = matrix.slice();
    for (let c = 0; c < COLUMNS; c++) {
      turned[c] = cos * matrix[c]! - sin * matrix[COLUMNS + c]!;
      turned[COLUMNS + c] = sin * matrix[c]! + cos * matrix[COLUMNS + c]!;
    }
    return turned;
  };
  const settings = { weightDecay: 0 };
  const plain = await trained("muon", settings);
  const turned = await trained("muon", settings, { change: rotated, begin: rotated(initial) });
  const expected = rotated(plain);
  for (const [i, value] of expected.entries())
    expect(Math.abs(turned[i]! - value), `element ${i}`).toBeLessThan(1e-9);
});
