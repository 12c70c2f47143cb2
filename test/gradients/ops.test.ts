/** @file Every op's derivative, small and odd shapes, against central differences. */

import { describe, expect, test } from "vitest";
import {
  adaptiveAveragePool2d,
  batchNorm,
  conv2d,
  dropout,
  flatten,
  globalAveragePool,
  type Layer,
  linear,
  maxPool2d,
  relu,
  relu6,
  residual,
  sequential,
} from "../../src/layers/index.ts";
import { add, batchNorm as batchNormOp, OPS } from "../../src/ops/index.ts";
import { type GradientCase, gradientErrors, kindsIn } from "./check-gradients.ts";

/** Central differences with h = 1e-5 in doubles err by about 1e-9 here; a wrong term by 1e-2 or more. */
const TOLERANCE = 1e-6;

/** Identity: the loss's own derivative. */
const nothing: Layer = { build: (x) => x };

/** Scale and shift are frozen, and with them the statistics: begins as x / sqrt(2.5 + epsilon). */
const frozenBatchNorm: Layer = {
  build(x, { builder, name }) {
    const shape = [x.shape[1]!];
    const frozen = (what: string, value: number) =>
      builder.parameter(`${name}.${what}`, shape, { kind: "constant", value }, false);
    return builder.apply(
      batchNormOp,
      name,
      {
        x,
        gamma: frozen("weight", 1.5),
        beta: frozen("bias", 0.25),
        runningMean: builder.statistic(`${name}.running_mean`, shape, 0.5),
        runningVariance: builder.statistic(`${name}.running_var`, shape, 2.5),
      },
      { epsilon: 1e-5, momentum: 0.1 },
    ).y;
  },
};

/** Eight times x, so that values lie on both sides of 0 and of 6. */
const amplified: Layer = {
  build: (x, { builder, name }) =>
    [1, 2, 3].reduce((sum, i) => builder.apply(add, `${name}.${i}`, { a: sum, b: sum }, {}).y, x),
};

const cases: Record<string, GradientCase> = {
  "frozen batchNorm above a trained layer": {
    layer: sequential([
      conv2d({ channels: 2, kernel: 1 }),
      frozenBatchNorm,
      relu(),
      residual({ branch: sequential([conv2d({ channels: 2, kernel: 1 }), frozenBatchNorm]) }),
      relu(),
    ]),
    input: [2, 2, 3, 3],
  },
  "conv2d 3x3, padding 1": {
    layer: conv2d({ channels: 4, kernel: 3, padding: 1 }),
    input: [2, 3, 5, 4],
  },
  "conv2d 1x1 without bias": {
    layer: conv2d({ channels: 3, kernel: 1, bias: false }),
    input: [2, 2, 3, 3],
  },
  "conv2d stride 2, odd size": {
    layer: conv2d({ channels: 2, kernel: 3, stride: 2, padding: 1 }),
    input: [2, 3, 7, 5],
  },
  "conv2d stride leaves a border unread": {
    layer: conv2d({ channels: 2, kernel: 2, stride: 3 }),
    input: [1, 2, 7, 6],
  },
  "conv2d oblong kernel, stride and padding": {
    layer: conv2d({ channels: 2, kernel: [3, 5], stride: [2, 1], padding: [0, 2] }),
    input: [2, 1, 6, 5],
  },
  "conv2d in two groups": {
    layer: conv2d({ channels: 4, kernel: 3, padding: 1, groups: 2 }),
    input: [2, 6, 4, 3],
  },
  "depthwise conv2d, stride 2, two outputs a channel": {
    layer: conv2d({ channels: 6, kernel: 3, stride: 2, padding: 1, groups: 3, bias: false }),
    input: [2, 3, 5, 4],
  },
  relu6: { layer: sequential([amplified, relu6()]), input: [2, 2, 3, 3] },
  "adaptiveAveragePool2d of overlapping windows": {
    layer: adaptiveAveragePool2d({ size: [3, 2] }),
    input: [2, 2, 7, 5],
  },
  "adaptiveAveragePool2d of fewer pixels than windows": {
    layer: adaptiveAveragePool2d({ size: 7 }),
    input: [1, 2, 2, 4],
  },
  batchNorm: { layer: batchNorm(), input: [3, 2, 3, 2] },
  "batchNorm with relu": { layer: sequential([batchNorm(), relu()]), input: [3, 2, 3, 2] },
  "batchNorm of one place a channel": { layer: batchNorm(), input: [5, 3, 1, 1] },
  relu: { layer: relu(), input: [2, 2, 3, 3] },
  "conv2d with relu": {
    layer: sequential([conv2d({ channels: 3, kernel: 3 }), relu()]),
    input: [2, 2, 4, 4],
  },
  maxPool2d: { layer: maxPool2d({ kernel: 2 }), input: [2, 3, 4, 6] },
  "maxPool2d drops a partial window": { layer: maxPool2d({ kernel: 2 }), input: [1, 2, 5, 7] },
  "maxPool2d overlapping, padded": {
    layer: maxPool2d({ kernel: 3, stride: 2, padding: 1 }),
    input: [2, 2, 7, 6],
  },
  dropout: { layer: dropout({ p: 0.4 }), input: [3, 2, 3, 3] },
  "two dropouts draw different masks": {
    layer: sequential([dropout({ p: 0.5 }), dropout({ p: 0.3 })]),
    input: [3, 2, 3, 3],
  },
  linear: {
    layer: sequential([flatten(), linear({ features: 5 })]),
    input: [3, 2, 2, 3],
  },
  "linear without bias, with relu": {
    layer: sequential([flatten(), linear({ features: 6, bias: false }), relu()]),
    input: [3, 1, 2, 3],
  },
  globalAveragePool: { layer: globalAveragePool(), input: [2, 4, 3, 5] },
  "batchNorm, relu and maxPool2d as one": {
    layer: sequential([
      conv2d({ channels: 3, kernel: 3, padding: 1 }),
      batchNorm(),
      relu(),
      maxPool2d({ kernel: 2 }),
    ]),
    input: [3, 2, 5, 6],
  },
  "a first block as one": {
    layer: sequential([
      conv2d({ channels: 16, kernel: 3, padding: 1 }),
      batchNorm(),
      relu(),
      maxPool2d({ kernel: 2 }),
    ]),
    input: [2, 2, 4, 6],
    onImages: true,
  },
  "batchNorm and overlapping maxPool2d as one": {
    layer: sequential([batchNorm(), maxPool2d({ kernel: 3, stride: 2, padding: 1 })]),
    input: [3, 2, 5, 4],
  },
  "batchNorm, residual and relu as one; two gradients meet": {
    layer: sequential([
      ...Array.from({ length: 2 }, () => [
        residual({ branch: sequential([conv2d({ channels: 2, kernel: 1 }), batchNorm()]) }),
        relu(),
      ]).flat(),
    ]),
    input: [3, 2, 3, 4],
  },
  "batchNorm in branch and projection": {
    layer: sequential([
      residual({
        branch: sequential([conv2d({ channels: 3, kernel: 1 }), batchNorm()]),
        downsample: sequential([conv2d({ channels: 3, kernel: 1 }), batchNorm()]),
      }),
      relu(),
    ]),
    input: [3, 2, 3, 4],
  },
  "batchNorm and residual without relu": {
    layer: residual({ branch: sequential([conv2d({ channels: 2, kernel: 1 }), batchNorm()]) }),
    input: [3, 2, 3, 4],
  },
  residual: {
    layer: sequential([
      residual({ branch: conv2d({ channels: 2, kernel: 3, padding: 1 }) }),
      relu(),
    ]),
    input: [2, 2, 3, 4],
  },
  "residual with a projection": {
    layer: residual({
      branch: sequential([conv2d({ channels: 3, kernel: 3, stride: 2, padding: 1 }), batchNorm()]),
      downsample: conv2d({ channels: 3, kernel: 1, stride: 2 }),
    }),
    input: [2, 2, 5, 4],
  },
  "nested residuals: three gradients meet": {
    layer: residual({ branch: residual({ branch: residual({ branch: relu() }) }) }),
    input: [2, 1, 3, 2],
  },
  softmaxCrossEntropy: { layer: nothing, input: [4, 5, 1, 1], labels: [0, 4, 2, 2] },
  "softmaxCrossEntropy leaves rows out": {
    layer: nothing,
    input: [4, 5, 1, 1],
    labels: [3, -1, 0, -1],
  },
  "softmaxCrossEntropy, label smoothing": {
    layer: nothing,
    input: [4, 5, 1, 1],
    labels: [1, 1, -1, 4],
    labelSmoothing: 0.1,
  },
  "softmaxCrossEntropy, class weights and smoothing": {
    layer: nothing,
    input: [4, 3, 1, 1],
    labels: [0, 1, 2, -1],
    labelSmoothing: 0.2,
    classWeights: [0.5, 2, 1],
  },
  "a small network": {
    layer: sequential({
      features: sequential([
        conv2d({ channels: 3, kernel: 3, padding: 1 }),
        batchNorm(),
        relu(),
        maxPool2d({ kernel: 2 }),
      ]),
      flatten: flatten(),
      classifier: sequential([dropout(), linear({ features: 4 }), relu(), linear({ features: 3 })]),
    }),
    input: [3, 2, 5, 4],
  },
};

test("every op that has a derivative, or is one, is in a case", () => {
  const tried = new Set(Object.values(cases).flatMap(kindsIn));
  // What a derivative is made of, alone: a reshaping, and the half of the loss that its forward gives.
  const within = ["unflatten", "softmaxCrossEntropyGradient"];
  const wanted = OPS.filter(({ name, backward }) => backward || /Backward/.test(name));
  expect(wanted.length).toBeGreaterThan(20);
  expect(
    wanted.map(({ name }) => name).filter((name) => !tried.has(name) && !within.includes(name)),
  ).toEqual([]);
});

describe("the compiled gradient equals central differences", () => {
  test.each(Object.entries(cases))("%s", async (_, item) => {
    const errors = await gradientErrors(item);
    expect(Object.keys(errors).includes("offset")).toBe(!item.onImages);
    expect(Object.keys(errors)).not.toEqual([]);
    for (const [name, error] of Object.entries(errors)) expect(error, name).toBeLessThan(TOLERANCE);
  });
});
