/**
 * @file The fused kinds of batch normalisation against the reference backend (float64), which does one
 * part after the other: every activation layout, windows side by side and overlapping, channels whose
 * scale is too small to divide by, and tensors larger than the caches.
 */

import { describe, expect, test } from "vitest";
import { inTurn } from "../compile/in-turn.ts";
import { expectAgreement, laidOut, native } from "./agreement.ts";
import {
  type Case,
  generate,
  prepareCase,
  runCase,
  type TensorCase,
  uniformValues,
} from "./harness.ts";

const perChannel = (C: number, seed: number, map = (v: number, _: number) => v) => ({
  shape: [C],
  values: uniformValues([C], seed).map(map),
});

/** Two channels of each five: one of scale 0, one whose shift is far above its scale. */
const awkward = (v: number, c: number) => (c % 5 === 1 ? 0 : c % 5 === 3 ? v * 1e-3 : v);

const vectors = (C: number): Record<string, TensorCase> => ({
  gamma: perChannel(C, 2, awkward),
  beta: perChannel(C, 3, (v) => v + 0.2),
  runningMean: perChannel(C, 4),
  runningVariance: perChannel(C, 5, (v) => v + 2),
  mean: { shape: [C] },
  variance: { shape: [C] },
  dgamma: { shape: [C] },
  dbeta: { shape: [C] },
});

interface Geometry {
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
}

interface PoolOptions {
  readonly x: readonly [number, number, number, number];
  readonly geometry: Geometry;
  readonly layout: string;
  readonly relu?: boolean;
  readonly values?: Float32Array;
}

function poolCase({ x, geometry, layout, relu = true, values }: PoolOptions): Case {
  const [B, C, H, W] = x;
  const size = (extent: number, i: 0 | 1) =>
    Math.floor((extent + 2 * geometry.padding[i] - geometry.kernel[i]) / geometry.stride[i]) + 1;
  const y = [B, C, size(H, 0), size(W, 1)];
  const attributes = { epsilon: 1e-5, relu, ...geometry };
  return {
    tensors: {
      x: { shape: x, values: values ?? uniformValues(x, 1), layout },
      ...vectors(C),
      // Not around 0: sums that cancel have no digits to compare.
      dy: { shape: y, values: uniformValues(y, 6).map((v) => v + 0.5) },
      y: { shape: y },
      workspace: { shape: y, dtype: "u8" },
      dx: { shape: x },
    },
    steps: [
      {
        kind: "batchNormPoolTrain",
        attributes: { ...attributes, momentum: 0.1 },
        inputs: ["x", "gamma", "beta", "runningMean", "runningVariance"],
        outputs: ["y", "mean", "variance", "workspace"],
      },
      {
        kind: "batchNormPoolBackward",
        attributes,
        inputs: ["x", "dy", "gamma", "beta", "mean", "variance", "y", "workspace"],
        outputs: ["dx", "dgamma", "dbeta"],
      },
    ],
  };
}

const tiles: Geometry = { kernel: [2, 2], stride: [2, 2], padding: [0, 0] };
const overlapping: Geometry = { kernel: [3, 3], stride: [2, 2], padding: [1, 1] };

describe("batch norm + ReLU + max pooling", () => {
  test.each(laidOut)("batch %i, %i channels, %s", async (B, C, layout) => {
    const geometries: Geometry[] = [
      tiles,
      overlapping,
      { kernel: [3, 2], stride: [1, 2], padding: [1, 0] },
      { kernel: [2, 2], stride: [3, 3], padding: [0, 0] },
    ];
    for (const geometry of geometries)
      for (const size of [
        [12, 10],
        [13, 11],
      ] as const) {
        await expectAgreement(poolCase({ x: [B, C, ...size], geometry, layout }), 2e-5);
      }
    const withoutRelu = { x: [B, C, 6, 8], geometry: tiles, layout, relu: false } as const;
    await expectAgreement(poolCase(withoutRelu), 2e-5);
  });

  test.each([
    [17, "aBcd8b"],
    [17, "aBcd16b"],
    [32, "acdb"],
  ] as const)("a tensor larger than the caches: %i channels, %s", async (C, layout) => {
    const x = [24, C, 110, 100] as const;
    const some = uniformValues([10007], 1);
    const values = generate(24 * C * 11000, (i) => some[i % 10007]!);
    await expectAgreement(poolCase({ x, geometry: tiles, layout, values }), 2e-5);
  });

  test("lets a NaN pass, forward and backward", async () => {
    const x = [2, 8, 4, 4] as const;
    const values = uniformValues(x, 1);
    values[3] = Number.NaN;
    for (const geometry of [tiles, overlapping]) {
      const result = await runCase(native, poolCase({ x, geometry, layout: "aBcd8b", values }));
      expect(result.y!.subarray(0, 4).every(Number.isNaN)).toBe(true);
      expect(result.dx!.subarray(0, 16).every(Number.isNaN)).toBe(true);
      expect(result.y!.subarray(4, 8).some(Number.isNaN)).toBe(false);
    }
  });
});

interface AddOptions {
  readonly x: readonly number[];
  readonly layout: string;
  readonly relu: boolean;
  readonly twoGradients: boolean;
}

function addCase({ x, layout, relu, twoGradients }: AddOptions): Case {
  const C = x[1]!;
  const attributes = { epsilon: 1e-5, relu };
  const inputs = ["x", "gamma", "beta", "runningMean", "runningVariance", "residual"];
  const gradients = twoGradients ? ["workspace", "dyOther"] : ["workspace"];
  return {
    tensors: {
      x: { shape: x, values: uniformValues(x, 1), layout },
      ...vectors(C),
      residual: { shape: x, values: uniformValues(x, 6), layout: "abcd" },
      dy: { shape: x, values: uniformValues(x, 7), layout: "acdb" },
      dyOther: { shape: x, values: uniformValues(x, 8) },
      yEvaluate: { shape: x },
      y: { shape: x },
      ...(relu && { workspace: { shape: x, dtype: "u8" } }),
      dx: { shape: x },
      dresidual: { shape: x },
    },
    steps: [
      { kind: "batchNormAddEvaluate", attributes, inputs, outputs: ["yEvaluate"] },
      {
        kind: "batchNormAddTrain",
        attributes: { ...attributes, momentum: 0.1 },
        inputs,
        outputs: ["y", "mean", "variance", ...(relu ? ["workspace"] : [])],
      },
      ...(relu
        ? ([
            {
              kind: "batchNormAddBackward",
              attributes,
              inputs: ["x", "dy", "gamma", "beta", "mean", "variance", ...gradients],
              outputs: ["dx", "dgamma", "dbeta", "dresidual"],
            },
          ] as const)
        : []),
    ],
  };
}

describe("batch norm + residual + ReLU", () => {
  test.each(laidOut)("batch %i, %i channels, %s", async (B, C, layout) => {
    for (const twoGradients of [false, true])
      for (const relu of [false, true]) {
        const x = [B, C, 13, 11];
        await expectAgreement(addCase({ x, layout, relu, twoGradients }), 2e-5);
      }
  });
});

test.each([16, 32, 48, 96])("channels-last, several vectors at once: %i channels", async (C) => {
  const x = [3, C, 14, 12] as const;
  for (const geometry of [tiles, overlapping])
    await expectAgreement(poolCase({ x, geometry, layout: "acdb" }), 2e-5);
  for (const twoGradients of [false, true])
    await expectAgreement(addCase({ x, layout: "acdb", relu: true, twoGradients }), 2e-5);
});

test("equal bits for every number of threads, whether threads take groups or images", async () => {
  const cases = [
    poolCase({ x: [6, 24, 12, 12], geometry: tiles, layout: "aBcd8b" }),
    poolCase({ x: [6, 24, 12, 12], geometry: overlapping, layout: "aBcd8b" }),
    addCase({ x: [6, 24, 7, 7], layout: "aBcd8b", relu: true, twoGradients: true }),
    ...["aBcd16b", "acdb"].flatMap((layout) => [
      poolCase({ x: [6, 48, 12, 12], geometry: tiles, layout }),
      addCase({ x: [6, 48, 7, 7], layout, relu: true, twoGradients: true }),
    ]),
  ];
  for (const given of cases) {
    // 24 channels of eight, 48 of sixteen are three groups: one and three threads take groups, two take images.
    const [one, ...others] = await Promise.all(
      [1, 2, 3].map((threads) => runCase(native, given, threads)),
    );
    for (const other of others) expect(other).toEqual(one);
  }
});

test("a workspace that is too small is refused", async () => {
  const { program, session } = await prepareCase(
    native,
    poolCase({ x: [2, 8, 4, 4], geometry: tiles, layout: "aBcd8b" }),
  );
  const cut = program.buffers.map((buffer) =>
    buffer.name === "workspace" ? { ...buffer, bytes: 4 } : buffer,
  );
  await expect(session.load({ ...program, buffers: cut })).rejects.toThrow(
    "workspace is too small",
  );
  session.dispose();
});

test("positions that no forward pass has written are not followed out of the image", async () => {
  // A scale of 0 has x looked up by position.
  const whole = poolCase({ x: [2, 8, 7, 7], geometry: overlapping, layout: "aBcd8b" });
  const tensors = { ...whole.tensors, gamma: perChannel(8, 1, () => 0) };
  const { program, session, buffer } = await prepareCase(native, { ...whole, tensors });
  // Without the forward pass mean, variance and workspace are zero: each window's first place, which for
  // windows at the upper and the left edge lies in the padding.
  const instructions = program.instructions.filter(({ kind }) => kind !== "batchNormPoolTrain");
  await (await session.load({ ...program, instructions })).run({
    slot: 0,
    scalars: Float64Array.of(0, 0),
  });
  const [x, dy, dgamma] = await inTurn(["x", "dy", "dgamma"], (name) => session.read(buffer(name)));
  session.dispose();
  for (let c = 0; c < 8; c++) {
    let sum = 0;
    for (let b = 0; b < 2; b++)
      for (let i = 1; i < 4; i++)
        for (let j = 1; j < 4; j++) {
          const place = (b * 8 + c) * 49 + (2 * i - 1) * 7 + 2 * j - 1;
          sum += (await dy!)[((b * 8 + c) * 4 + i) * 4 + j]! * (await x!)[place]!;
        }
    expect((await dgamma!)[c]! * Math.sqrt(1e-5)).toBeCloseTo(sum, 4);
  }
});
