/**
 * @file The engine's own loops against the reference backend (float64): pooling, tensors larger than
 * the caches, elementwise operations, reorders, dropout and the loss.
 */

import { describe, test } from "vitest";
import { expectAgreement, LAYOUTS, laidOut } from "./agreement.ts";
import { generate, uniformValues } from "./harness.ts";

describe("max pooling", () => {
  const geometries = [
    { kernel: [2, 2], stride: [2, 2], padding: [0, 0] },
    { kernel: [3, 3], stride: [2, 2], padding: [1, 1] },
    { kernel: [3, 2], stride: [1, 2], padding: [1, 0] },
    { kernel: [2, 2], stride: [3, 3], padding: [0, 0] },
  ];
  test.each(laidOut)("batch %i, %i channels, %s", async (B, C, layout) => {
    for (const attributes of geometries) {
      const [H, W] = [13, 11];
      const size = (extent: number, i: number) =>
        Math.floor(
          (extent + 2 * attributes.padding[i]! - attributes.kernel[i]!) / attributes.stride[i]!,
        ) + 1;
      const x = [B, C, H, W];
      const y = [B, C, size(H, 0), size(W, 1)];
      // Few distinct values: windows have ties, and the first maximum must win.
      const tied = uniformValues(x, 1).map((v) => Math.round(v * 3));
      for (const dyLayout of LAYOUTS) {
        await expectAgreement(
          {
            tensors: {
              x: { shape: x, values: tied, layout },
              dy: { shape: y, values: uniformValues(y, 2), layout: dyLayout },
              y: { shape: y },
              workspace: { shape: y, dtype: "u8" },
              dx: { shape: x },
            },
            steps: [
              { kind: "maxPool2d", attributes, inputs: ["x"], outputs: ["y", "workspace"] },
              {
                kind: "maxPool2dBackward",
                attributes,
                inputs: ["dy", "workspace"],
                outputs: ["dx"],
              },
            ],
          },
          1e-6,
        );
      }
    }
  });
});

describe("a tensor larger than the caches", () => {
  // 25 MiB: results are written past the caches there.
  test("batch norm and max pooling", async () => {
    const [B, C, H, W] = [24, 17, 110, 100];
    const x = [B, C, H, W];
    const y = [B, C, 55, 50];
    const some = uniformValues([10007], 1);
    const values = (shift: number) =>
      generate(B * C * H * W, (i) => some[(i + shift) % some.length]!);
    const bn = { epsilon: 1e-5, momentum: 0.1, relu: true };
    const pool = { kernel: [2, 2], stride: [2, 2], padding: [0, 0] };
    const perChannel = (seed: number) => ({ shape: [C], values: uniformValues([C], seed) });
    await expectAgreement(
      {
        tensors: {
          x: { shape: x, values: values(0), layout: "aBcd8b" },
          gamma: perChannel(2),
          beta: perChannel(3),
          runningMean: perChannel(4),
          runningVariance: perChannel(5),
          y: { shape: x },
          mean: { shape: [C] },
          variance: { shape: [C] },
          pooled: { shape: y },
          workspace: { shape: y, dtype: "u8" },
          dy: { shape: x },
          dx: { shape: x },
          dgamma: { shape: [C] },
          dbeta: { shape: [C] },
        },
        steps: [
          {
            kind: "batchNormTrain",
            attributes: bn,
            inputs: ["x", "gamma", "beta", "runningMean", "runningVariance"],
            outputs: ["y", "mean", "variance"],
          },
          {
            kind: "maxPool2d",
            attributes: pool,
            inputs: ["y"],
            outputs: ["pooled", "workspace"],
          },
          {
            kind: "maxPool2dBackward",
            attributes: pool,
            inputs: ["pooled", "workspace"],
            outputs: ["dy"],
          },
          {
            kind: "batchNormBackward",
            attributes: bn,
            inputs: ["x", "dy", "gamma", "beta", "mean", "variance"],
            outputs: ["dx", "dgamma", "dbeta"],
          },
        ],
      },
      2e-5,
    );
  });
});

describe("elementwise and reorder", () => {
  test.each(laidOut)("batch %i, %i channels, %s", async (B, C, layout) => {
    const x = [B, C, 7, 5];
    await expectAgreement(
      {
        tensors: {
          x: { shape: x, values: uniformValues(x, 1), layout },
          b: { shape: x, values: uniformValues(x, 2), layout: "abcd" },
          dy: { shape: x, values: uniformValues(x, 3), layout: "acdb" },
          y: { shape: x },
          dx: { shape: x },
          amplified: { shape: x, values: uniformValues(x, 4).map((value) => 9 * value), layout },
          y6: { shape: x },
          dx6: { shape: x },
          windows: { shape: [B, C, 3, 7] },
          unwound: { shape: x },
          sum: { shape: x },
          positiveSum: { shape: x },
          plain: { shape: x, layout: "abcd" },
          pooled: { shape: [B, C] },
          spread: { shape: x, layout },
        },
        steps: [
          { kind: "relu", inputs: ["x"], outputs: ["y"] },
          { kind: "reluBackward", inputs: ["y", "dy"], outputs: ["dx"] },
          { kind: "relu6", inputs: ["amplified"], outputs: ["y6"] },
          { kind: "relu6Backward", inputs: ["y6", "dy"], outputs: ["dx6"] },
          {
            kind: "adaptiveAveragePool2d",
            attributes: { outputSize: [3, 7] },
            inputs: ["x"],
            outputs: ["windows"],
          },
          {
            kind: "adaptiveAveragePool2dBackward",
            attributes: { outputSize: [3, 7] },
            inputs: ["windows"],
            outputs: ["unwound"],
          },
          { kind: "add", inputs: ["x", "b"], outputs: ["sum"] },
          { kind: "add", attributes: { relu: true }, inputs: ["x", "b"], outputs: ["positiveSum"] },
          { kind: "reorder", inputs: ["x"], outputs: ["plain"] },
          { kind: "globalAveragePool", inputs: ["x"], outputs: ["pooled"] },
          { kind: "globalAveragePoolBackward", inputs: ["pooled"], outputs: ["spread"] },
        ],
      },
      1e-6,
    );
  });
});

describe("dropout", () => {
  test.each([
    [0.5, [7, 17]],
    [0.3, [1, 5, 3, 3]],
    [0, [2, 3]],
    [1, [2, 3]],
    [1, [4, 8]],
  ])("keeps the same elements: p = %f, shape %o", async (p, shape) => {
    const attributes = { p, layerIndex: 3 };
    await expectAgreement(
      {
        tensors: {
          x: { shape, values: uniformValues(shape, 1) },
          dy: { shape, values: uniformValues(shape, 2) },
          y: { shape },
          dx: { shape },
        },
        steps: [
          { kind: "dropout", attributes, inputs: ["x"], outputs: ["y"] },
          { kind: "dropoutBackward", attributes, inputs: ["dy"], outputs: ["dx"] },
        ],
        scalars: [12345, 678],
      },
      1e-6,
    );
  });
});

describe("softmax and cross-entropy", () => {
  const labelsOf = { some: [2, -1, 0, 4, 1, -1, 2], none: [-1, -1, -1, -1, -1, -1, -1] };
  const cases = [0, 0.1].flatMap((s) =>
    [false, true].flatMap((w) => (["some", "none"] as const).map((l) => [s, w, l] as const)),
  );
  test.each(cases)(
    "smoothing %f, weighted %s, %s of the rows labelled",
    async (labelSmoothing, weighted, labels) => {
      const shape = [7, 5];
      await expectAgreement(
        {
          tensors: {
            logits: { shape, values: uniformValues(shape, 1).map((v) => 30 * v) },
            labels: { shape: [7], values: labelsOf[labels], dtype: "i32" },
            ...(weighted ? { weights: { shape: [5], values: [1, 0.5, 2, 0, 3] } } : {}),
            loss: { shape: [1] },
            correct: { shape: [1] },
            dlogits: { shape },
            probabilities: { shape },
          },
          steps: [
            {
              kind: "softmaxCrossEntropy",
              attributes: { labelSmoothing },
              inputs: ["logits", "labels", ...(weighted ? ["weights"] : [])],
              outputs: ["loss", "correct", "dlogits"],
            },
            { kind: "softmax", inputs: ["logits"], outputs: ["probabilities"] },
          ],
        },
        1e-6,
      );
    },
  );
});
