/**
 * @file Gradients of a convolution's weights by tiles of bf16, against the reference backend (float64) on
 * the same rounded operands. Sums are float32, so that what is left is their rounding alone.
 */

import { describe, expect, test } from "vitest";
import { nativeBackend } from "../../src/engine/native/index.ts";
import { native, reference } from "./agreement.ts";
import { type Case, prepareCase, relativeError, runCase, uniformValues } from "./harness.ts";

type Pair = readonly [number, number];

/** x and dy in bf16, the gradients of weights and bias in float32. */
function gradient(
  [B, C, O]: readonly [number, number, number],
  image: Pair,
  k: Pair,
  stride: Pair,
  padding: Pair,
): Case {
  const extent = (i: 0 | 1) => Math.floor((image[i] + 2 * padding[i] - k[i]) / stride[i]) + 1;
  const x = [B, C, ...image];
  const dy = [B, O, extent(0), extent(1)];
  const attributes = { stride, padding };
  const kind = "conv2dBackwardWeights";
  return {
    tensors: {
      x: { shape: x, dtype: "bf16", values: uniformValues(x, 1), layout: "acdb" },
      dy: { shape: dy, dtype: "bf16", values: uniformValues(dy, 2), layout: "acdb" },
      dweight: { shape: [O, C, ...k] },
      alone: { shape: [O, C, ...k] },
      dbias: { shape: [O] },
    },
    steps: [
      { kind, attributes, inputs: ["x", "dy"], outputs: ["dweight", "dbias"] },
      { kind, attributes, inputs: ["x", "dy"], outputs: ["alone"] },
    ],
  };
}

const implementationOf = async (given: Case) => {
  const { program, session } = await prepareCase(native, given);
  session.dispose();
  return program.instructions.find(({ kind }) => kind === "conv2dBackwardWeights")?.implementation;
};

const shapes: Parameters<typeof gradient>[] = [
  // Lines that share their padding, an odd number of blocks either way.
  [
    [2, 16, 16],
    [9, 7],
    [3, 3],
    [1, 1],
    [1, 1],
  ],
  [
    [3, 48, 80],
    [7, 7],
    [3, 3],
    [1, 1],
    [1, 1],
  ],
  [
    [1, 32, 48],
    [1, 2],
    [3, 3],
    [1, 1],
    [1, 1],
  ],
  // Padding that is not shared, and none.
  [
    [2, 16, 32],
    [8, 9],
    [3, 5],
    [1, 1],
    [0, 1],
  ],
  [
    [2, 32, 16],
    [6, 5],
    [3, 3],
    [1, 1],
    [2, 2],
  ],
  [
    [2, 64, 32],
    [5, 6],
    [1, 1],
    [1, 1],
    [0, 0],
  ],
  // Strides: a plane for each remainder, some without a tap.
  [
    [2, 32, 64],
    [14, 13],
    [3, 3],
    [2, 2],
    [1, 1],
  ],
  [
    [3, 32, 32],
    [10, 9],
    [1, 1],
    [2, 2],
    [0, 0],
  ],
  [
    [1, 16, 48],
    [11, 16],
    [2, 5],
    [3, 2],
    [1, 2],
  ],
  // Images, by channels and taps.
  [
    [5, 3, 64],
    [24, 31],
    [7, 7],
    [2, 2],
    [3, 3],
  ],
  [
    [2, 1, 16],
    [9, 20],
    [5, 16],
    [1, 1],
    [2, 3],
  ],
  [
    [3, 4, 48],
    [8, 10],
    [3, 4],
    [3, 1],
    [1, 1],
  ],
  [
    [2, 4, 16],
    [5, 1],
    [4, 4],
    [1, 3],
    [1, 2],
  ],
  // Several parts, several segments of an image, and weights so many that all threads share them.
  [
    [3, 64, 32],
    [60, 90],
    [3, 3],
    [1, 1],
    [1, 1],
  ],
  [
    [2, 3, 32],
    [120, 130],
    [7, 7],
    [2, 2],
    [3, 3],
  ],
  [
    [3, 256, 288],
    [14, 14],
    [3, 3],
    [1, 1],
    [1, 1],
  ],
  [
    [30, 192, 160],
    [16, 15],
    [3, 3],
    [2, 2],
    [1, 1],
  ],
];
const cases = shapes.map((given) => [JSON.stringify(given), gradient(...given)] as const);

const first = native.capabilities.bf16 ? await implementationOf(cases[0]![1]) : undefined;
const why = first === "tiles:amx_bf16" ? "" : " (no AMX here)";

describe.skipIf(why !== "")(`gradients of weights by tiles${why}`, () => {
  test.each(cases)("agree within 1e-5, with equal bits on 1 to 3 threads: %s", async (_, given) => {
    expect(await implementationOf(given)).toBe("tiles:amx_bf16");
    const expected = await runCase(reference, given);
    const [one, two, three] = await Promise.all(
      [1, 2, 3].map((threads) => runCase(nativeBackend({ threads }), given, threads)),
    );
    for (const name of ["dweight", "alone", "dbias"]) {
      const error = relativeError(one![name]!, expected[name]!);
      expect(error, `${name} differs by ${error}`).toBeLessThan(1e-5);
    }
    expect(one!.alone).toEqual(one!.dweight);
    expect(two).toEqual(one);
    expect(three).toEqual(one);
  });

  test("are oneDNN's where channels fill no tile", async () => {
    for (const [C, O] of [
      [24, 32],
      [32, 24],
    ] as const) {
      const given = gradient([2, C, O], [8, 8], [3, 3], [1, 1], [1, 1]);
      expect(await implementationOf(given)).not.toBe("tiles:amx_bf16");
    }
  });
});
