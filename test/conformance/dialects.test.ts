/**
 * @file Dialects: where libraries read a rule differently, each against that library's formula, written
 * out here in doubles for one element, at a rate that rises.
 */

import { describe, expect, test } from "vitest";
import { referenceBackend } from "../../src/engine/reference/index.ts";
import { createOptimizer, type Dialect } from "../../src/optimizers/index.ts";
import { dyadic } from "../parity/dyadic.ts";
import { openOptimizerRun } from "../parity/optimizer-program.ts";

const UPDATES = 10;
const GRADIENTS = Array.from({ length: UPDATES }, (_, i) => dyadic(i, 3));

/** What a rule keeps, by name; all begin at 0 unless it says so. */
type Memory = Record<string, number>;
/** The change of the parameter for gradient g, at rate lr, update t from 1. */
type Formula = (g: number, lr: number, t: number, kept: Memory) => number;

const at = (kept: Memory, name: string, initial = 0) => (kept[name] ??= initial);
const mean = (kept: Memory, name: string, decay: number, value: number) => {
  kept[name] = decay * at(kept, name) + (1 - decay) * value;
  return kept[name]!;
};

const adagradInside: Formula = (g, lr, _, kept) => {
  kept.sum = at(kept, "sum", Math.fround(0.1)) + g * g;
  return (lr * g) / Math.sqrt(kept.sum + 1e-7);
};
const adadelta =
  (rho: number, epsilon: number, stale: boolean): Formula =>
  (g, lr, _, kept) => {
    const before = at(kept, "E");
    const now = mean(kept, "E", rho, g * g);
    const delta =
      (Math.sqrt(at(kept, "U") + epsilon) / Math.sqrt((stale ? before : now) + epsilon)) * g;
    mean(kept, "U", rho, delta * delta);
    return lr * delta;
  };
const rmspropInside =
  (alpha: number, momentum: number, root: (v: number, m: number) => number): Formula =>
  (g, lr, _, kept) => {
    const v = mean(kept, "v", alpha, g * g);
    const m = mean(kept, "m", alpha, g);
    kept.b = momentum * at(kept, "b") + (lr * g) / root(v, m);
    return kept.b;
  };
const adam =
  (epsilon: number): Formula =>
  (g, lr, t, kept) => {
    const m = mean(kept, "m", 0.9, g) / (1 - 0.9 ** t);
    const v = mean(kept, "v", 0.999, g * g) / (1 - 0.999 ** t);
    return (lr * m) / (Math.sqrt(v) + epsilon);
  };
const nadamConstant: Formula = (g, lr, t, kept) => {
  const m = mean(kept, "m", 0.9, g);
  const v = mean(kept, "v", 0.999, g * g) / (1 - 0.999 ** t);
  const ahead = (0.9 * m) / (1 - 0.9 ** (t + 1)) + (0.1 * g) / (1 - 0.9 ** t);
  return (lr * ahead) / (Math.sqrt(v) + 1e-8);
};
const radam =
  (threshold: number, corrected: boolean): Formula =>
  (g, lr, t, kept) => {
    const m = mean(kept, "m", 0.9, g) / (1 - 0.9 ** t);
    const v = mean(kept, "v", 0.999, g * g);
    const limit = 2 / (1 - 0.999) - 1;
    const r = limit - (2 * t * 0.999 ** t) / (1 - 0.999 ** t);
    if (r <= threshold) return lr * m;
    const rectifier = Math.sqrt(((r - 4) * (r - 2) * limit) / ((limit - 4) * (limit - 2) * r));
    const correction = Math.sqrt(1 - 0.999 ** t);
    return corrected
      ? (lr * m * rectifier) / (Math.sqrt(v) / correction + 1e-8)
      : (lr * m * rectifier * correction) / (Math.sqrt(v) + 1e-8);
  };
const adamaxOutside: Formula = (g, lr, t, kept) => {
  const m = mean(kept, "m", 0.9, g);
  kept.u = Math.max(0.999 * at(kept, "u"), Math.abs(g));
  return ((lr / (1 - 0.9 ** t)) * m) / (kept.u + 1e-7);
};

const CASES: readonly [string, Dialect, Readonly<Record<string, number>>, Formula][] = [
  ["adagrad", "optax", {}, adagradInside],
  ["adagrad", "tfjs", {}, adagradInside],
  ["adadelta", "tfjs", {}, adadelta(0.95, 1e-7, true)],
  ["adadelta", "optax", {}, adadelta(0.9, 1e-6, false)],
  ["adadelta", "paper", {}, adadelta(0.95, 1e-6, false)],
  ["rmsprop", "optax", { momentum: 0.9 }, rmspropInside(0.9, 0.9, (v) => Math.sqrt(v + 1e-8))],
  [
    "rmsprop",
    "optax",
    { centered: 1 },
    rmspropInside(0.9, 0, (v, m) => Math.sqrt(v - m * m + 1e-8)),
  ],
  ["rmsprop", "tfjs", { momentum: 0.9 }, rmspropInside(0.9, 0.9, (v) => Math.sqrt(v + 1e-7))],
  [
    "rmsprop",
    "tfjs",
    { centered: 1 },
    rmspropInside(0.9, 0, (v, m) => Math.sqrt(v - (m * m + 1e-7))),
  ],
  ["rmsprop", "paper", {}, rmspropInside(0.95, 0.9, (v, m) => Math.sqrt(v - m * m + 1e-4))],
  ["adam", "tfjs", {}, adam(1e-7)],
  ["adam", "paper", {}, adam(1e-8)],
  ["adam", "optax", {}, adam(1e-8)],
  ["nadam", "optax", {}, nadamConstant],
  ["radam", "optax", {}, radam(5, true)],
  ["radam", "paper", {}, radam(4, false)],
  ["radam", "torch", {}, radam(5, false)],
  ["adamax", "tfjs", {}, adamaxOutside],
];

/** The parameter after each update. */
async function trained(name: string, hyperparameters: object, dialect?: Dialect) {
  const optimizer = createOptimizer(
    name,
    { learningRate: 0.01, ...hyperparameters },
    dialect ? { dialect } : {},
  );
  const run = await openOptimizerRun({
    optimizer,
    backend: referenceBackend({ precision: "f64" }),
    sizes: [1],
  });
  const after: number[] = [];
  for (const [update, gradient] of GRADIENTS.entries()) {
    await run.session.write(run.gradients[0]!, Float64Array.of(gradient));
    await run.step(update, 0.01 * (1 + update / 4));
    after.push(run.session.readDouble(run.parameters[0]!)[0]!);
  }
  return after;
}

describe("float64 reference against the dialect's own formula", () => {
  test.each(CASES)("%s in %s %o", async (name, dialect, hyperparameters, formula) => {
    const after = await trained(name, hyperparameters, dialect);
    const kept: Memory = {};
    let parameter = 0;
    for (const [update, gradient] of GRADIENTS.entries()) {
      parameter -= formula(gradient, 0.01 * (1 + update / 4), update + 1, kept);
      expect(Math.abs(after[update]! - parameter), `update ${update}`).toBeLessThan(1e-12);
    }
  });
});

test.each([
  ["adagrad", "optax"],
  ["adadelta", "tfjs"],
  ["rmsprop", "optax"],
  ["rmsprop", "paper"],
  ["adam", "tfjs"],
  ["nadam", "optax"],
  ["radam", "paper"],
  ["adamax", "tfjs"],
] as const)("%s in %s is not PyTorch's", async (name, dialect) => {
  expect(await trained(name, {}, dialect)).not.toEqual(await trained(name, {}));
});

describe("dialects", () => {
  test("bring their defaults, which what is given overrides", () => {
    const of = (name: string, dialect: Dialect, given = {}) =>
      createOptimizer(name, given, { dialect }).hyperparameters;
    expect(of("adamw", "optax").weightDecay).toBe(1e-4);
    expect(of("lion", "optax").weightDecay).toBe(1e-3);
    expect(of("lamb", "optax")).toMatchObject({ weightDecay: 0, excludeBiasesAndNorms: 0 });
    expect(of("prodigy", "optax").biasCorrection).toBe(1);
    expect(of("adam", "tfjs", { epsilon: 1e-3 }).epsilon).toBe(1e-3);
    expect(createOptimizer("adam").dialect).toBe("torch");
    expect(createOptimizer("lookahead-adam", {}, { dialect: "tfjs" }).dialect).toBe("tfjs");
  });

  test("an unknown one is refused, with those that there are", () => {
    expect(() => createOptimizer("lion", {}, { dialect: "torch" })).toThrow(
      'lion: no dialect "torch"; it has paper, optax',
    );
    expect(() => createOptimizer("muon", {}, { dialect: "torch" })).toThrow(
      'muon: no dialect "torch"; it has one reading alone',
    );
  });
});
