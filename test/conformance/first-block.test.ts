/**
 * @file A first block as one instruction against the reference backend (float64), which convolves, normalises
 * and pools one after the other: kernels and paddings, widths beside the vectors, outputs beside their pairs.
 */

import { describe, expect, test } from "vitest";
import { nativeBackend } from "../../src/engine/native/index.ts";
import type { Layout } from "../../src/program/index.ts";
import { expectAgreement, native } from "./agreement.ts";
import { type Case, prepareCase, runCase, uniformValues } from "./harness.ts";

interface BlockOptions {
  readonly batch: number;
  readonly channels?: number;
  readonly outputs: number;
  readonly kernel?: readonly [number, number];
  readonly padding?: readonly [number, number];
  /** Of the pooled result. */
  readonly size: readonly [number, number];
  readonly relu?: boolean;
  readonly bias?: boolean;
  readonly layout?: Layout;
  /** Of each pixel; default uniform in [-1, 1). */
  readonly pixels?: (value: number) => number;
}

function blockCase({
  batch,
  channels = 3,
  outputs,
  kernel = [3, 3],
  padding = [1, 1],
  size,
  relu = true,
  bias = true,
  layout,
  pixels = (value) => value,
}: BlockOptions): Case {
  const extent = (i: 0 | 1) => 2 * size[i] + kernel[i] - 1 - 2 * padding[i];
  const x = [batch, channels, extent(0), extent(1)];
  const weight = [outputs, channels, ...kernel];
  const y = [batch, outputs, ...size];
  const vector = (seed: number, map = (v: number) => v) => ({
    shape: [outputs],
    values: uniformValues([outputs], seed).map(map),
  });
  const attributes = { padding, epsilon: 1e-5 };
  const biases = bias ? ["bias"] : [];
  return {
    tensors: {
      x: { shape: x, values: uniformValues(x, 1).map(pixels), layout: "abcd" },
      weight: { shape: weight, values: uniformValues(weight, 2) },
      gamma: vector(3, (v) => v + 0.1),
      beta: vector(4, (v) => v + 0.2),
      runningMean: vector(5),
      runningVariance: vector(6, (v) => v + 2),
      ...(bias && { bias: vector(7) }),
      // Not around 0: sums that cancel have no digits to compare.
      dy: { shape: y, values: uniformValues(y, 8).map((v) => v + 0.5) },
      y: { shape: y, ...(layout && { layout }) },
      mean: { shape: [outputs] },
      variance: { shape: [outputs] },
      workspace: { shape: y, dtype: "u8" },
      dweight: { shape: weight },
      dgamma: { shape: [outputs] },
      dbeta: { shape: [outputs] },
      ...(bias && { dbias: { shape: [outputs] } }),
    },
    steps: [
      {
        kind: "conv2dNormPoolTrain",
        attributes: { ...attributes, momentum: 0.1, relu },
        inputs: ["x", "weight", "gamma", "beta", "runningMean", "runningVariance", ...biases],
        outputs: ["y", "mean", "variance", "workspace"],
      },
      {
        kind: "conv2dNormPoolBackward",
        attributes,
        inputs: ["x", "weight", "dy", "gamma", "variance", "workspace"],
        outputs: ["dweight", "dgamma", "dbeta", ...(bias ? ["dbias"] : [])],
      },
    ],
  };
}

describe("a first block", () => {
  test.each([1, 2, 7])("of a batch of %i", async (batch) => {
    for (const outputs of [16, 32, 48])
      for (const size of [
        [1, 1],
        [4, 5],
        [5, 12],
      ] as const)
        await expectAgreement(blockCase({ batch, outputs, size }), 2e-5);
  });

  test("with other kernels, paddings and channels, without bias or ReLU", async () => {
    const some = { batch: 3, outputs: 16, size: [4, 7] } as const;
    const kinds = [
      { channels: 1, kernel: [5, 5], padding: [2, 2] },
      { channels: 1, kernel: [7, 7], padding: [3, 3] },
      { channels: 4, kernel: [2, 4], padding: [0, 1] },
      { channels: 3, kernel: [1, 1], padding: [0, 0] },
      { relu: false },
      { bias: false },
    ] as const;
    for (const kind of kinds) await expectAgreement(blockCase({ ...some, ...kind }), 2e-5);
  });

  test("of images that are far from 0, whose convolutions vary little", async () => {
    const pixels = (value: number) => 100 + value / 10;
    await expectAgreement(blockCase({ batch: 4, outputs: 16, size: [6, 8], pixels }), 2e-4);
  });

  test("lets a NaN pass", async () => {
    let pixels = 0;
    const given = blockCase({
      ...{ batch: 2, outputs: 16, size: [4, 4] as const },
      pixels: (value) => (++pixels === 5 ? Number.NaN : value),
    });
    const { y, dweight } = await runCase(native, given);
    expect(y!.every(Number.isNaN)).toBe(true);
    expect(dweight!.every(Number.isNaN)).toBe(true);
  });
});

test("equal bits for every number of threads, however few images there are", async () => {
  for (const batch of [1, 6]) {
    const given = blockCase({ batch, outputs: 32, size: [9, 11] });
    const [one, ...others] = await Promise.all(
      [1, 2, 3].map((threads) => runCase(nativeBackend({ threads }), given, threads)),
    );
    for (const other of others) expect(other).toEqual(one);
  }
});

test("what does not fit is refused", async () => {
  const { program, session } = await prepareCase(
    native,
    blockCase({ batch: 2, outputs: 16, size: [4, 4] }),
  );
  const cut = (name: string, bytes: number) => ({
    ...program,
    buffers: program.buffers.map((buffer) =>
      buffer.name === name ? { ...buffer, bytes } : buffer,
    ),
  });
  await expect(session.load(cut("workspace", 64))).rejects.toThrow("workspace is too small");
  session.dispose();
});

test.each([
  [{ batch: 2, outputs: 12, size: [4, 4] }, "multiple of 16 output channels"],
  [{ batch: 2, outputs: 16, channels: 8, size: [4, 4] }, "more than 63 weights"],
] as const)("%o is refused", async (options, message) => {
  await expect(runCase(native, blockCase(options))).rejects.toThrow(message);
});
