/**
 * @file The native backend against the reference one (float64), instruction by instruction: small
 * batches, channel counts beside the block sizes, odd images, strides, paddings, and every
 * activation layout that the engine has a loop for.
 */

import { describe, test } from "vitest";
import { BATCHES, CONVOLUTION_TOLERANCE, expectAgreement, laidOut, pairs } from "./agreement.ts";
import { uniformValues } from "./harness.ts";

describe("conv2d", () => {
  const geometries = [
    { k: [3, 3], stride: [1, 1], padding: [1, 1] },
    { k: [1, 1], stride: [1, 1], padding: [0, 0] },
    { k: [3, 3], stride: [2, 2], padding: [1, 1] },
    { k: [7, 7], stride: [2, 2], padding: [3, 3] },
    { k: [2, 3], stride: [3, 2], padding: [0, 1] },
    { k: [1, 1], stride: [2, 2], padding: [0, 0] },
  ];
  const cases = pairs.flatMap(([B, C]) => geometries.map((g) => [B, C, g] as const));

  test.each(cases)("and its derivatives: batch %i, %i channels, %o", async (B, C, g) => {
    for (const O of [3, 16]) {
      const [H, W] = [11, 9];
      const size = (extent: number, i: number) =>
        Math.floor((extent + 2 * g.padding[i]! - g.k[i]!) / g.stride[i]!) + 1;
      const x = [B, C, H, W];
      const y = [B, O, size(H, 0), size(W, 1)];
      const weight = [O, C, ...g.k];
      const attributes = { stride: g.stride, padding: g.padding };
      await expectAgreement(
        {
          tensors: {
            x: { shape: x, values: uniformValues(x, 1), layout: "abcd" },
            weight: { shape: weight, values: uniformValues(weight, 2) },
            bias: { shape: [O], values: uniformValues([O], 3) },
            dy: { shape: y, values: uniformValues(y, 4) },
            y: { shape: y },
            yRelu: { shape: y },
            dx: { shape: x },
            dweight: { shape: weight },
            dbias: { shape: [O] },
            dweightOnly: { shape: weight },
          },
          steps: [
            { kind: "conv2d", attributes, inputs: ["x", "weight"], outputs: ["y"] },
            {
              kind: "conv2d",
              attributes: { ...attributes, relu: true },
              inputs: ["x", "weight", "bias"],
              outputs: ["yRelu"],
            },
            { kind: "conv2dBackwardData", attributes, inputs: ["dy", "weight"], outputs: ["dx"] },
            {
              kind: "conv2dBackwardWeights",
              attributes,
              inputs: ["x", "dy"],
              outputs: ["dweight", "dbias"],
            },
            {
              kind: "conv2dBackwardWeights",
              attributes,
              inputs: ["x", "dy"],
              outputs: ["dweightOnly"],
            },
          ],
        },
        CONVOLUTION_TOLERANCE,
      );
    }
  });
});

describe("linear", () => {
  test.each(
    BATCHES.flatMap(
      (B) =>
        [
          [B, 1, 1],
          [B, 5, 17],
          [B, 33, 16],
          [B, 512, 10],
          // Weights in blocks, which divide neither of them.
          [B, 900, 300],
        ] as const,
    ),
  )("and its derivatives: (%i, %i) to %i features", async (B, I, O) => {
    await expectAgreement(
      {
        tensors: {
          x: { shape: [B, I], values: uniformValues([B, I], 1) },
          weight: { shape: [O, I], values: uniformValues([O, I], 2) },
          bias: { shape: [O], values: uniformValues([O], 3) },
          dy: { shape: [B, O], values: uniformValues([B, O], 4) },
          y: { shape: [B, O] },
          yRelu: { shape: [B, O] },
          dx: { shape: [B, I] },
          dweight: { shape: [O, I] },
          dbias: { shape: [O] },
        },
        steps: [
          { kind: "linear", inputs: ["x", "weight"], outputs: ["y"] },
          {
            kind: "linear",
            attributes: { relu: true },
            inputs: ["x", "weight", "bias"],
            outputs: ["yRelu"],
          },
          { kind: "linearBackwardData", inputs: ["dy", "weight"], outputs: ["dx"] },
          { kind: "linearBackwardWeights", inputs: ["x", "dy"], outputs: ["dweight", "dbias"] },
        ],
      },
      1e-5,
    );
  });
});

describe("batch norm", () => {
  test.each(laidOut)("batch %i, %i channels, %s", async (B, C, layout) => {
    for (const relu of [false, true]) {
      const x = [B, C, 13, 11];
      const mean = uniformValues([C], 5).map((v) => 3 * v);
      await expectAgreement(
        {
          tensors: {
            // Channels of different means, so that a variance taken naively would lose digits.
            x: {
              shape: x,
              values: uniformValues(x, 1).map((v, i) => v + mean[Math.floor(i / 143) % C]!),
              layout,
            },
            gamma: { shape: [C], values: uniformValues([C], 2) },
            beta: { shape: [C], values: uniformValues([C], 3) },
            runningMean: { shape: [C], values: uniformValues([C], 6) },
            runningVariance: { shape: [C], values: uniformValues([C], 7).map((v) => v + 2) },
            dy: { shape: x, values: uniformValues(x, 4) },
            yEvaluate: { shape: x },
            dxEvaluate: { shape: x },
            y: { shape: x },
            mean: { shape: [C] },
            variance: { shape: [C] },
            dx: { shape: x },
            dgamma: { shape: [C] },
            dbeta: { shape: [C] },
          },
          steps: [
            {
              kind: "batchNormEvaluate",
              attributes: { epsilon: 1e-5, relu },
              inputs: ["x", "gamma", "beta", "runningMean", "runningVariance"],
              outputs: ["yEvaluate"],
            },
            {
              kind: "batchNormEvaluateBackward",
              attributes: { epsilon: 1e-5 },
              inputs: ["dy", "gamma", "runningVariance"],
              outputs: ["dxEvaluate"],
            },
            {
              kind: "batchNormTrain",
              attributes: { epsilon: 1e-5, momentum: 0.1, relu },
              inputs: ["x", "gamma", "beta", "runningMean", "runningVariance"],
              outputs: ["y", "mean", "variance"],
            },
            {
              kind: "batchNormBackward",
              attributes: { epsilon: 1e-5, relu },
              inputs: ["x", "dy", "gamma", "beta", "mean", "variance"],
              outputs: ["dx", "dgamma", "dbeta"],
            },
          ],
        },
        2e-5,
      );
    }
  });

  test.each([
    [7, 1],
    [7, 5],
    [9, 17],
  ])("of a matrix (%i, %i)", async (B, C) => {
    await expectAgreement(
      {
        tensors: {
          x: { shape: [B, C], values: uniformValues([B, C], 1) },
          gamma: { shape: [C], values: uniformValues([C], 2) },
          beta: { shape: [C], values: uniformValues([C], 3) },
          runningMean: { shape: [C], values: uniformValues([C], 6) },
          runningVariance: { shape: [C], values: uniformValues([C], 7).map((v) => v + 2) },
          y: { shape: [B, C] },
          mean: { shape: [C] },
          variance: { shape: [C] },
        },
        steps: [
          {
            kind: "batchNormTrain",
            attributes: { epsilon: 1e-5, momentum: 0.1 },
            inputs: ["x", "gamma", "beta", "runningMean", "runningVariance"],
            outputs: ["y", "mean", "variance"],
          },
        ],
      },
      1e-5,
    );
  });
});
