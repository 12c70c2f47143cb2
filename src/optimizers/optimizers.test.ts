import { describe, expect, test } from "vitest";
import {
  adam,
  clipByValue,
  createOptimizer,
  defineOptimizer,
  exponentialWeight,
  optimizerNames,
  optimizerScalars,
  productOverUpdates,
  rmsprop,
  runScalars,
  Scalar,
  scalar,
  sgd,
  type Vector,
  zerosLike,
} from "./index.ts";

describe("createOptimizer", () => {
  // torch.optim's defaults (2.x for SGD, whose rate 1.13 has none for); of the last three, those
  // of their own files.
  test.each([
    ["sgd", 1e-3],
    ["adagrad", 1e-2],
    ["adadelta", 1],
    ["rmsprop", 1e-2],
    ["adam", 1e-3],
    ["adamax", 2e-3],
    ["adamw", 1e-3],
    ["nadam", 2e-3],
    ["radam", 1e-3],
    ["lion", 1e-4],
    ["lars", 1],
    ["lamb", 1e-3],
    ["adafactor", 1e-2],
    ["prodigy", 1],
    ["schedule-free-sgd", 1],
    ["schedule-free-adamw", 2.5e-3],
    ["muon", 0.02],
  ])("%s has the default rate %f", (name, rate) => {
    expect(createOptimizer(name).hyperparameters.learningRate).toBe(rate);
    expect(optimizerNames).toContain(name);
  });

  test.each([
    ["sam-adma", {}, 'no optimizer "adma"; did you mean "adam"?'],
    ["sma-sgd", {}, "in front of each may stand lookahead- or sam-"],
    ["sam-sam-sgd", {}, "sam-sam-sgd: sam-sgd takes two gradients an update already"],
    ["sam-sgd", { samRho: 0 }, "sam-sgd: rho must be a positive number; got 0"],
    [
      "lookahead-adam",
      { lookaheadK: 1.5 },
      "lookahead-adam: k must be a positive integer; got 1.5",
    ],
    ["lookahead-adam", { lookaheadAlpha: 2 }, "lookahead-adam: alpha must be in [0, 1]; got 2"],
    [
      "lookahead-schedule-free-sgd",
      {},
      'schedule-free-sgd evaluates with weights of its own ("x")',
    ],
    ["adma", {}, 'no optimizer "adma"; did you mean "adam"?'],
    ["adammw", {}, 'did you mean "adamw"?'],
    ["lamp", {}, 'did you mean "lamb"?'],
    [
      "lamb",
      { excludeBiasesAndNorms: 2 },
      "excludeBiasesAndNorms must be 0 (off) or 1 (on); got 2",
    ],
    ["adam", { beta: 0.9 }, 'adam: no hyperparameter "beta"; did you mean "beta1"?'],
    ["adam", { learningRate: -1 }, "adam: learningRate must be a number, 0 or more; got -1"],
    ["adam", { epsilon: Number.NaN }, "adam: epsilon must be a number, 0 or more; got NaN"],
    ["adam", { learningRate: Infinity }, "adam: learningRate must be a number, 0 or more"],
    ["adam", { beta2: 1 }, "adam: beta2 must be in [0, 1); got 1"],
    ["adam", { epsilon: 1e-60 }, "adam: epsilon must be above 0 in float32"],
    ["sgd", { nesterov: 2 }, "sgd: nesterov must be 0 (off) or 1 (on); got 2"],
    [
      "sgd",
      { nesterov: 1 },
      "sgd: nesterov needs momentum above 0 and dampening 0; got momentum 0",
    ],
    ["sgd", { nesterov: 1, momentum: 0.9, dampening: 0.1 }, "got momentum 0.9, dampening 0.1"],
  ])("refuses %s %o", (name, hyperparameters, message) => {
    expect(() => createOptimizer(name, hyperparameters as Record<string, number>)).toThrow(message);
  });

  test("state that is not used is not allocated", () => {
    const names = (optimizer: ReturnType<typeof adam>) => optimizer.state.map(({ name }) => name);
    expect(names(sgd())).toEqual([]);
    expect(names(rmsprop())).toEqual(["squares"]);
    expect(names(rmsprop({ momentum: 0.9, centered: 1 }))).toEqual(["squares", "mean", "momentum"]);
    expect(names(adam())).toEqual(["m", "v"]);
  });
});

describe("optimizerScalars", () => {
  const named = (
    optimizer: ReturnType<typeof adam>,
    values: Parameters<typeof optimizerScalars>[1],
  ) =>
    Object.fromEntries(
      runScalars(optimizer).map(({ name }, i) => [name, optimizerScalars(optimizer, values)[i]]),
    );

  test("are computed in doubles, for t from 1", () => {
    expect(named(adam(), { learningRate: 0.25, t: 3 })).toMatchObject({
      learningRate: 0.25,
      "1 - beta1": 1 - 0.9,
      "1 - (beta1 ^ t)": 1 - 0.9 ** 3,
      "sqrt(1 - (beta2 ^ t))": Math.sqrt(1 - 0.999 ** 3),
    });
    expect(named(sgd({ momentum: 0.5, dampening: 0.25 }), { learningRate: 1, t: 1 })).toMatchObject(
      {
        "1 - (dampening * min(t - 1, 1))": 1,
      },
    );
    expect(named(sgd({ momentum: 0.5, dampening: 0.25 }), { learningRate: 1, t: 9 })).toMatchObject(
      {
        "1 - (dampening * min(t - 1, 1))": 0.75,
      },
    );
  });

  test("a scheduled hyperparameter replaces the optimizer's own", () => {
    const values = { learningRate: 1, t: 1, hyperparameters: { beta1: 0.5 } };
    expect(named(adam(), values)).toMatchObject({ beta1: 0.5, "1 - beta1": 0.5 });
  });

  test.each([
    [adam(), { beta3: 1 }, 'adam: no hyperparameter "beta3" to schedule'],
    [adam(), { learningRate: 1 }, "(the rate is an argument of its own)"],
    [sgd(), { momentum: 0.9 }, "sgd: momentum shapes the update and cannot change from 0 to 0.9"],
    [sgd({ momentum: 0.9 }), { nesterov: 1 }, "sgd: nesterov shapes the update"],
    [adam(), { beta1: -1 }, "adam: beta1 must be a number, 0 or more; got -1"],
  ])("refuses to schedule %#", (optimizer, hyperparameters, message) => {
    const values = {
      learningRate: 1,
      t: 1,
      hyperparameters: hyperparameters as Record<string, number>,
    };
    expect(() => optimizerScalars(optimizer, values)).toThrow(message);
  });

  test.each([
    [Number.NaN, 1, "adam: learningRate must be"],
    [-1, 1, "adam: learningRate must be"],
    [1, 0, "adam: t must be a positive integer; got 0"],
  ])("refuses rate %d, count %d", (learningRate, t, message) => {
    expect(() => optimizerScalars(adam(), { learningRate, t })).toThrow(message);
  });
});

test("a product over the updates is that of its factors, and ends in 0", () => {
  const factor = scalar(0.5).add(new Scalar({ kind: "count" }).pow(-1).mul(0.5));
  const of = defineOptimizer({
    name: "product",
    hyperparameters: { learningRate: 1 },
    state: () => ({}),
    update: ({ parameter }) => ({ parameter: parameter.mul(productOverUpdates(factor)) }),
  })();
  const at = (t: number) => optimizerScalars(of, { learningRate: 1, t })[0];
  // (1 + 1/i) / 2: 1, 3/4, 2/3
  expect([1, 2, 3].map(at)).toEqual([1, 0.75, expect.closeTo(0.5, 15)]);
  expect(at(100_000)).toBeLessThan(1e-40);
});

describe("clipByValue", () => {
  test("makes the limit a hyperparameter that may be scheduled", () => {
    const clipped = clipByValue(adam(), 0.5);
    expect(clipped.hyperparameters).toMatchObject({ clipValue: 0.5, beta1: 0.9 });
    const names = runScalars(clipped).map(({ name }) => name);
    const scalars = optimizerScalars(clipped, {
      learningRate: 1,
      t: 1,
      hyperparameters: { clipValue: 0.25 },
    });
    expect(scalars[names.indexOf("clipValue")]).toBe(0.25);
    expect(scalars[names.indexOf("0 - clipValue")]).toBe(-0.25);
  });

  test.each([0, -1, Number.NaN])("refuses %d", (limit) => {
    expect(() => clipByValue(adam(), limit)).toThrow("adam: clipValue must be a positive number");
  });

  test("refuses to clip twice", () => {
    expect(() => clipByValue(clipByValue(adam(), 1), 2)).toThrow(
      "adam: its gradient is clipped by value already, to 1",
    );
  });
});

describe("defineOptimizer", () => {
  test("refuses an update that returns what was not declared, or no parameter", () => {
    const base = { name: "mine", hyperparameters: { learningRate: 1 }, state: () => ({}) };
    expect(() =>
      defineOptimizer({ ...base, update: ({ gradient }) => ({ m: gradient }) })(),
    ).toThrow('optimizer "mine": its update returns "m"; it may return parameter');
    expect(() => defineOptimizer({ ...base, update: () => ({}) })()).toThrow(
      'optimizer "mine": its update must return a new "parameter"',
    );
  });

  test("refuses scalars and vectors in each other's place, and one value that depends on a tensor", () => {
    const make = (
      shape: "global" | "parameter",
      value: (lr: Scalar, g: Vector) => Scalar | Vector,
    ) =>
      defineOptimizer({
        name: "mine",
        hyperparameters: { learningRate: 1 },
        state: () => ({ s: zerosLike(shape) }),
        update: ({ parameter, gradient, lr }) => ({ parameter, s: value(lr, gradient) }),
      });
    expect(make("global", (_, g) => g)).toThrow(
      '"s" has shape "global"; its update must be a scalar',
    );
    expect(make("parameter", (lr) => lr)).toThrow(
      '"s" has shape "parameter"; its update must be a vector',
    );
    expect(make("global", (lr) => lr)).toThrow('"s" is one value for all tensors');
    expect(make("global", (_, g) => g.sum("tensor"))).toThrow('"s" is one value for all tensors');
    expect(make("global", (_, g) => g.sum("all"))().state).toHaveLength(1);
  });

  test("an exponential mean with bias correction begins with what it is given", () => {
    expect(exponentialWeight(0.9, 1)).toBeCloseTo(1, 15);
    // Weights 0.1 0.9 and 0.1, divided by their sum.
    expect(exponentialWeight(0.9, 2)).toBeCloseTo(0.1 / 0.19, 15);
    expect(exponentialWeight(0.9, 1e6)).toBeCloseTo(0.1, 15);
  });

  test("refuses a constant that is not finite", () => {
    expect(() => scalar(Number.NaN)).toThrow("a constant must be finite; got NaN");
  });
});
