/**
 * @file What the engine makes of bf16 beside its agreement with the reference backend, which the other
 * files here ask of every small case: each rounding exact, whichever loop does it; large tensors; repeats;
 * refusals.
 */

import { describe, expect, test } from "vitest";
import { toBfloat16 } from "../../src/core/bfloat16.ts";
import { elementCount } from "../../src/core/shapes.ts";
import type { LayoutRequest } from "../../src/program/index.ts";
import { emulating, native } from "./agreement.ts";
import { type Case, prepareCase, runCase, uniformValues } from "./harness.ts";

const bits = (values: Float32Array) =>
  new Uint32Array(values.buffer, values.byteOffset, values.length);
/** Whether two tensors have the same bits: toEqual takes minutes for millions of values. */
const same = (a: Float32Array, b: Float32Array) =>
  Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(
    Buffer.from(b.buffer, b.byteOffset, b.byteLength),
  );
const widened = (halves: Uint16Array) =>
  new Float32Array(Uint32Array.from(halves, (half) => half << 16).buffer);

/** All numbers of bf16 that are not NaN, as floats, and some whose rounding is a tie or nearly one. */
const halves = Uint16Array.from({ length: 0x10000 }, (_, half) => half);
const numbers = widened(halves).filter((value) => !Number.isNaN(value));
const words = [0x7fff, 0x8000, 0x8001].flatMap((low) =>
  Array.from(halves, (half) => ((half << 16) | low) >>> 0),
);
const between = new Float32Array(Uint32Array.from(words).buffer).filter(
  (value) => !Number.isNaN(value),
);

/** x f32 -> y bf16 -> z f32, by reorders. */
const reorders = (values: Float32Array, layout: string, shape: readonly number[]): Case => ({
  tensors: {
    x: { shape, values, layout: "abcd" },
    y: { shape, dtype: "bf16", layout },
    z: { shape, layout: "abcd" },
  },
  steps: [
    { kind: "reorder", inputs: ["x"], outputs: ["y"] },
    { kind: "reorder", inputs: ["y"], outputs: ["z"] },
  ],
});

describe("rounding", () => {
  // One after the other where the layout stays, one by one where it changes.
  test.each(["abcd", "acdb", "aBcd8b", "aBcd16b"])("of a reorder into %s", async (layout) => {
    for (const values of [numbers, between]) {
      const whole = values.subarray(0, values.length - (values.length % 20));
      const shape = [2, 10, 1, whole.length / 20];
      const { y, z } = await runCase(native, reorders(whole, layout, shape));
      const want = widened(toBfloat16(whole));
      expect(same(y!, want)).toBe(true);
      expect(same(z!, want)).toBe(true);
    }
  });

  // The instruction that multiplies bf16 wants pairs of rows woven into one.
  test.each(["AB16b64a2b", "AB8b64a2b", "ab"])("of weights in blocks into %s", async (layout) => {
    for (const inputs of [96, 90]) {
      const values = uniformValues([130, inputs], 1);
      const { y, z } = await runCase(native, {
        tensors: {
          x: { shape: [130, inputs], values, layout: "AB16b64a" },
          y: { shape: [130, inputs], dtype: "bf16", layout },
          z: { shape: [130, inputs], layout: "ab" },
        },
        steps: [
          { kind: "reorder", inputs: ["x"], outputs: ["y"] },
          { kind: "reorder", inputs: ["y"], outputs: ["z"] },
        ],
      });
      const want = widened(toBfloat16(values));
      expect(same(y!, want)).toBe(true);
      expect(same(z!, want)).toBe(true);
    }
  });

  // As the tiles of AMX want them; and between images channel by channel and pixel by pixel.
  test.each([
    ["ABcd16b16a", "AcdB16b32a2b", [70, 40, 3, 3]],
    ["ABcd16b16a", "ABcd16a16b2a", [70, 40, 3, 3]],
    ["ABcd16b16a", "AcdB16b64a2b", [70, 40, 1, 1]],
    ["ABcd16b16a", "AcdB16b32a2b", [96, 64, 3, 3]],
    ["ABcd16b16a", "ABcd16a16b2a", [64, 48, 3, 2]],
    ["ABcd16b16a", "AcdB16b64a2b", [128, 32, 1, 1]],
    ["acdb", "abcd", [3, 70, 5, 40]],
    ["abcd", "aBcd16b", [3, 70, 5, 40]],
  ] as const)("in tiles, from %s into %s", async (from, to, shape) => {
    const values = uniformValues(shape, 1);
    const { y, z } = await runCase(native, {
      tensors: {
        x: { shape, values, layout: from },
        y: { shape, dtype: "bf16", layout: to },
        z: { shape, dtype: "bf16", layout: from },
      },
      steps: [
        { kind: "reorder", inputs: ["x"], outputs: ["y"] },
        { kind: "reorder", inputs: ["y"], outputs: ["z"] },
      ],
    });
    const want = widened(toBfloat16(values));
    expect(same(y!, want)).toBe(true);
    expect(same(z!, want)).toBe(true);
  });

  test("a NaN stays one, whatever its bits, and infinities what they are", async () => {
    const patterns = Uint32Array.of(0x7f800001, 0x7fffffff, 0xff800001, 0xffffffff, 0x7fc00000);
    const values = new Float32Array(8).fill(Number.POSITIVE_INFINITY);
    bits(values).set(patterns);
    values[7] = Number.NEGATIVE_INFINITY;
    for (const layout of ["abcd", "acdb"]) {
      const { z } = await runCase(native, reorders(values, layout, [1, 2, 2, 2]));
      expect([...z!].map(Number.isNaN)).toEqual([
        true,
        true,
        true,
        true,
        true,
        false,
        false,
        false,
      ]);
      expect([...z!.subarray(5)]).toEqual([Infinity, Infinity, -Infinity]);
    }
  });

  test.each(["abcd", "acdb", "aBcd8b", "aBcd16b"])("of vectors, in %s", async (layout) => {
    // Deviation 1 and mean 0: y is x gamma + beta in f32, then rounded.
    const [gamma, beta] = [Math.fround(1.00390625), Math.fround(2 ** -9)];
    const finite = numbers.filter((value) => Math.abs(value) < 1e38);
    const whole = finite.subarray(0, finite.length - (finite.length % 20));
    const shape = [2, 10, 1, whole.length / 20];
    const constant = (value: number) => ({ shape: [10], values: new Float32Array(10).fill(value) });
    const { y } = await runCase(native, {
      tensors: {
        x: { shape, values: whole, dtype: "bf16", layout },
        gamma: constant(gamma),
        beta: constant(beta),
        mean: constant(0),
        variance: constant(1),
        y: { shape, dtype: "bf16" },
      },
      steps: [
        {
          kind: "batchNormEvaluate",
          attributes: { epsilon: 0 },
          inputs: ["x", "gamma", "beta", "mean", "variance"],
          outputs: ["y"],
        },
      ],
    });
    const exact = whole.map((value) => Math.fround(value * gamma) + beta);
    expect(same(y!, widened(toBfloat16(exact)))).toBe(true);
  });
});

test("a tensor larger than the caches: the same bits written past them as in place", async () => {
  // 17 MiB of bf16. What is written over an operand is not written past the caches.
  const shape = [16, 48, 110, 106];
  const wide = { shape, dtype: "bf16", layout: "aBcd8b" } as const;
  const noise = (seed: number) => {
    const values = new Float32Array(elementCount(shape));
    values.set(uniformValues([10007], seed));
    for (let done = 10007; done < values.length; done *= 2) values.copyWithin(done, 0, done);
    return values;
  };
  const vector = (seed: number) => ({ shape: [48], values: uniformValues([48], seed) });
  const tensors = {
    x: { ...wide, values: noise(0) },
    dy: { ...wide, values: noise(1) },
    gamma: vector(2),
    beta: vector(3),
    mean: vector(4),
    variance: { shape: [48], values: uniformValues([48], 5).map((value) => value + 2) },
    dx: wide,
    dgamma: { shape: [48] },
    dbeta: { shape: [48] },
  };
  const derivative = async (dx: "dx" | "dy") => {
    const { program, session, buffer } = await prepareCase(native, {
      tensors,
      steps: [
        {
          kind: "batchNormBackward",
          attributes: { epsilon: 1e-5, relu: true },
          inputs: ["x", "dy", "gamma", "beta", "mean", "variance"],
          outputs: [dx, "dgamma", "dbeta"],
        },
      ],
    });
    await (await session.load(program)).run({ slot: 0, scalars: Float64Array.of(0, 0) });
    const result = await session.read(buffer(dx));
    session.dispose();
    return result;
  };
  const past = await derivative("dx");
  expect(past.some((value) => value !== 0)).toBe(true);
  expect(same(past, await derivative("dy"))).toBe(true);
});

const convolution = (layout?: string): Case => {
  const [x, w, y] = [
    [5, 16, 9, 7],
    [24, 16, 3, 3],
    [5, 24, 9, 7],
  ];
  const narrow = (shape: readonly number[], seed?: number) => ({
    shape,
    dtype: "bf16" as const,
    ...(seed === undefined ? {} : { values: uniformValues(shape, seed) }),
    ...(layout && shape === x ? { layout } : {}),
  });
  const attributes = { stride: [1, 1], padding: [1, 1] };
  return {
    tensors: {
      x: narrow(x!, 1),
      w: narrow(w!, 2),
      dy: narrow(y!, 3),
      y: narrow(y!),
      dx: narrow(x!),
      dw: { shape: w! },
    },
    steps: [
      { kind: "conv2d", attributes, inputs: ["x", "w"], outputs: ["y"] },
      { kind: "conv2dBackwardData", attributes, inputs: ["dy", "w"], outputs: ["dx"] },
      { kind: "conv2dBackwardWeights", attributes, inputs: ["x", "dy"], outputs: ["dw"] },
    ],
  };
};

test("equal bits each time, for one thread and for two", async () => {
  for (const threads of [1, 2])
    for (const layout of ["aBcd8b", "acdb"]) {
      const first = await runCase(emulating, convolution(layout), threads);
      expect(await runCase(emulating, convolution(layout), threads)).toEqual(first);
    }
});

describe("refused", () => {
  const product: LayoutRequest = {
    kind: "linear",
    layer: "fc",
    attributes: {},
    inputs: [
      { shape: [4, 8], dtype: "bf16", layout: "any" },
      { shape: [3, 8], dtype: "bf16", layout: "any" },
    ],
    outputs: [{ shape: [4, 3], dtype: "f32", layout: "any" }],
  };

  test.skipIf(native.capabilities.bf16)(
    "a product where the processor has none, with what it is",
    () => {
      expect(() => native.chooseLayouts(product)).toThrow(
        /^linear "fc": bf16 needs a processor with AVX512-BF16 or AMX; this one is /,
      );
    },
  );

  test("factors of two types", async () => {
    const { program, session } = await prepareCase(emulating, convolution());
    const mixed = program.buffers.map((buffer) =>
      buffer.name === "dw" ? { ...buffer, dtype: "i32" as const } : buffer,
    );
    await expect(session.load({ ...program, buffers: mixed })).rejects.toThrow(
      "expects f32, or bf16 with a result of either",
    );
    session.dispose();
  });

  test("an elementwise kernel whose operands differ in type", async () => {
    const shape = [2, 8, 3, 3];
    const { program, session } = await prepareCase(native, {
      tensors: { x: { shape, values: uniformValues(shape, 1) }, y: { shape, dtype: "bf16" } },
      steps: [{ kind: "relu", inputs: ["x"], outputs: ["y"] }],
    });
    await expect(session.load(program)).rejects.toThrow(
      '"y" has the wrong element type for this instruction',
    );
    session.dispose();
  });
});
