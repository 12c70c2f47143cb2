/**
 * @file The native backend against the reference one (float64), instruction by instruction: small
 * batches, channel counts beside the block sizes, odd images, strides, paddings, and every
 * activation layout that the engine has a loop for.
 */

import { describe, expect, test } from "vitest";
import type { Layout } from "../../src/program/index.ts";
import { nativeBackend } from "../../src/runtime/native/index.ts";
import { referenceBackend } from "../../src/runtime/reference/index.ts";
import { type Case, relativeError, runCase, uniformValues } from "./harness.ts";

const native = nativeBackend({ threads: 2 });
const reference = referenceBackend({ precision: "f64" });

async function expectAgreement(given: Case, tolerance: number) {
  const [actual, expected] = [await runCase(native, given), await runCase(reference, given)];
  for (const name of Object.keys(given.tensors)) {
    if (!expected[name]) continue;
    const error = relativeError(actual[name]!, expected[name]!);
    expect(error, `${name} differs by ${error}`).toBeLessThan(tolerance);
  }
}

const BATCHES = [1, 7];
const CHANNELS = [1, 3, 5, 16, 17];
const LAYOUTS: Layout[] = ["abcd", "acdb", "aBcd8b", "aBcd16b"];
const pairs = BATCHES.flatMap((B) => CHANNELS.map((C) => [B, C] as const));
const laidOut = pairs.flatMap(([B, C]) => LAYOUTS.map((layout) => [B, C, layout] as const));

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
        1e-4,
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
      Float32Array.from({ length: B * C * H * W }, (_, i) => some[(i + shift) % some.length]!);
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
          sum: { shape: x },
          plain: { shape: x, layout: "abcd" },
          pooled: { shape: [B, C] },
          spread: { shape: x, layout },
        },
        steps: [
          { kind: "relu", inputs: ["x"], outputs: ["y"] },
          { kind: "reluBackward", inputs: ["y", "dy"], outputs: ["dx"] },
          { kind: "add", inputs: ["x", "b"], outputs: ["sum"] },
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
