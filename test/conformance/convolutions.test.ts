/**
 * @file Every implementation of a convolution that this machine has, forced in turn, against the
 * reference backend (float64) in all three passes; one that it has not is refused.
 */

import { describe, expect, test } from "vitest";
import { AddonError } from "../../src/core/errors.ts";
import type { InstructionKind } from "../../src/program/index.ts";
import { expectAgreement, native } from "./agreement.ts";
import { type Case, prepareCase, runCase, uniformValues } from "./harness.ts";

interface Shape {
  readonly B: number;
  /** Input channels, output channels. */
  readonly C: number;
  readonly O: number;
  readonly image: readonly [number, number];
  readonly k: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  /** After the last row and column; default: as before the first. */
  readonly paddingAfter?: readonly [number, number];
  /** Default 1. */
  readonly groups?: number;
}

const PASSES = ["conv2d", "conv2dBackwardData", "conv2dBackwardWeights"] as const;

/** One convolution: all three passes, with and without bias and ReLU, or the passes named. */
function convolution(
  { B, C, O, image, k, stride, padding, paddingAfter = padding, groups }: Shape,
  wanted: string,
  passes: readonly InstructionKind[] = PASSES,
): Case {
  const extent = (i: 0 | 1) =>
    Math.floor((image[i] + padding[i] + paddingAfter[i] - k[i]) / stride[i]) + 1;
  const x = [B, C, ...image];
  const y = [B, O, extent(0), extent(1)];
  const weight = [O, C / (groups ?? 1), ...k];
  const attributes = {
    stride,
    padding,
    ...(paddingAfter === padding ? {} : { paddingAfter }),
    ...(groups === undefined ? {} : { groups }),
  };
  const forced = { attributes, wanted };
  const steps: Case["steps"] = [
    { kind: "conv2d", ...forced, inputs: ["x", "weight"], outputs: ["y"] },
    {
      kind: "conv2d",
      attributes: { ...attributes, relu: true },
      wanted,
      inputs: ["x", "weight", "bias"],
      outputs: ["yRelu"],
    },
    { kind: "conv2dBackwardData", ...forced, inputs: ["dy", "weight"], outputs: ["dx"] },
    {
      kind: "conv2dBackwardWeights",
      ...forced,
      inputs: ["x", "dy"],
      outputs: ["dweight", "dbias"],
    },
    { kind: "conv2dBackwardWeights", ...forced, inputs: ["x", "dy"], outputs: ["dweightOnly"] },
  ];
  return {
    tensors: {
      // As images come.
      x: { shape: x, values: uniformValues(x, 1), ...(C < 8 && { layout: "abcd" }) },
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
    steps: steps.filter(({ kind }) => passes.includes(kind)),
  };
}

/** Those in which the machine has it. */
async function passesOf(shape: Shape, wanted: string): Promise<InstructionKind[]> {
  const passes: InstructionKind[] = [];
  for (const pass of PASSES)
    if ((await refusal(shape, wanted, pass)) === undefined) passes.push(pass);
  return passes;
}

/** Why the machine has not got it for a pass; undefined where it has. */
async function refusal(shape: Shape, wanted: string, pass: InstructionKind) {
  try {
    const { session } = await prepareCase(native, convolution(shape, wanted, [pass]));
    session.dispose();
    return undefined;
  } catch (error) {
    if (error instanceof AddonError) return error.message;
    throw error;
  }
}

const shapes: Shape[] = [
  { B: 2, C: 16, O: 24, image: [11, 9], k: [3, 3], stride: [1, 1], padding: [1, 1] },
  { B: 1, C: 17, O: 40, image: [8, 8], k: [1, 1], stride: [1, 1], padding: [0, 0] },
  { B: 3, C: 16, O: 16, image: [13, 10], k: [3, 3], stride: [2, 2], padding: [1, 1] },
  { B: 3, C: 3, O: 17, image: [21, 26], k: [7, 7], stride: [2, 2], padding: [3, 3] },
  { B: 7, C: 1, O: 32, image: [12, 7], k: [3, 3], stride: [1, 1], padding: [1, 1] },
  { B: 1, C: 4, O: 24, image: [9, 10], k: [2, 3], stride: [3, 2], padding: [0, 2] },
];

/** As TensorFlow's "same" has it, and the other way round; further than any window reaches. */
const unevenShapes: Shape[] = (
  [
    [2, 3, 16, [12, 9], [3, 3], [2, 2], [0, 0], [1, 1]],
    [1, 16, 24, [10, 12], [5, 5], [2, 2], [1, 1], [2, 2]],
    [2, 24, 24, [14, 7], [5, 3], [2, 1], [1, 0], [2, 2], 24],
    [2, 32, 32, [8, 8], [3, 3], [2, 2], [0, 0], [1, 1], 32],
    [1, 16, 16, [6, 6], [3, 3], [1, 1], [2, 0], [0, 1]],
    [1, 16, 16, [7, 7], [3, 3], [2, 2], [0, 1], [2, 3]],
  ] as const
).map(([B, C, O, image, k, stride, padding, paddingAfter, groups]) => ({
  ...{ B, C, O, image, k, stride, padding, paddingAfter },
  ...(groups === undefined ? {} : { groups }),
}));

describe.each(["direct", "channels-last", "winograd"] as const)("%s, uneven padding", (wanted) => {
  test.each(unevenShapes)("agrees within 1e-4: %o", async (shape) => {
    const passes = await passesOf(shape, wanted);
    if (wanted === "direct") expect(passes).toEqual(PASSES);
    if (passes.length > 0) await expectAgreement(convolution(shape, wanted, passes), 1e-4);
  });
});

describe.each(["direct", "channels-last"] as const)("%s", (wanted) => {
  test.each(shapes)("agrees within 1e-4: %o", async (shape) => {
    const passes = await passesOf(shape, wanted);
    if (wanted === "direct") expect(passes).toEqual(PASSES);
    await expectAgreement(convolution(shape, wanted, passes), 1e-4);
  });
});

/** Depthwise with wider rows than oneDNN has gradients of weights for, and images smaller than a window. */
const wideDepthwise: Shape[] = (
  [
    [3, 40, [7, 7], [5, 5], [1, 1], [2, 2]],
    [2, 24, [14, 11], [5, 5], [2, 2], [1, 1]],
    [2, 16, [9, 12], [7, 7], [1, 2], [3, 3]],
    [1, 32, [3, 2], [5, 5], [1, 1], [2, 2]],
    [5, 16, [10, 9], [3, 5], [3, 1], [0, 4]],
  ] as const
).map(([B, C, image, k, stride, padding]) => ({
  ...{ B, C, O: C, image, k, stride, padding, groups: C },
}));

/** Depthwise, with channels beside the block sizes and several outputs a channel, and other groups. */
const groupedShapes: Shape[] = [
  { B: 2, C: 16, O: 16, image: [11, 9], k: [3, 3], stride: [1, 1], padding: [1, 1], groups: 16 },
  { B: 3, C: 24, O: 24, image: [10, 8], k: [3, 3], stride: [2, 2], padding: [1, 1], groups: 24 },
  { B: 1, C: 13, O: 13, image: [7, 7], k: [3, 3], stride: [1, 1], padding: [1, 1], groups: 13 },
  { B: 2, C: 8, O: 16, image: [6, 7], k: [5, 3], stride: [1, 1], padding: [2, 1], groups: 8 },
  { B: 2, C: 32, O: 48, image: [8, 8], k: [3, 3], stride: [1, 1], padding: [1, 1], groups: 2 },
  { B: 1, C: 6, O: 9, image: [5, 6], k: [1, 1], stride: [1, 1], padding: [0, 0], groups: 3 },
  { B: 1, C: 3, O: 3, image: [9, 8], k: [3, 3], stride: [2, 1], padding: [1, 0], groups: 3 },
  ...wideDepthwise,
];

describe("in groups", () => {
  test.each(groupedShapes)("direct agrees within 1e-4: %o", async (shape) => {
    for (const threads of [1, 2])
      await expectAgreement(convolution(shape, "direct"), 1e-4, threads);
  });

  test.each(groupedShapes)("channels-last agrees where there is one: %o", async (shape) => {
    const passes = await passesOf(shape, "channels-last");
    if (passes.length > 0) await expectAgreement(convolution(shape, "channels-last", passes), 1e-4);
  });

  test("depthwise has generated code in all three passes", async () => {
    const { program, session } = await prepareCase(
      native,
      convolution(groupedShapes[0]!, "direct"),
    );
    session.dispose();
    const used = program.instructions.filter(({ kind }) => kind.startsWith("conv2d"));
    expect(used.map(({ implementation }) => implementation)).toEqual(
      used.map(() => expect.stringContaining("jit")),
    );
  });

  test("depthwise gradients of wide rows are no matrix products", async () => {
    for (const shape of wideDepthwise) {
      const { program, session } = await prepareCase(
        native,
        convolution(shape, "direct", ["conv2dBackwardWeights"]),
      );
      session.dispose();
      const [used] = program.instructions.filter(({ kind }) => kind === "conv2dBackwardWeights");
      expect(used?.implementation).not.toContain("gemm");
    }
  });

  test("Winograd is refused", async () => {
    expect(await refusal(groupedShapes[0]!, "winograd", "conv2d")).toContain(
      "it takes 3x3 kernels",
    );
  });

  test("groups that do not divide the channels are refused", async () => {
    const odd = convolution({ ...groupedShapes[0]!, groups: 16 }, "direct", ["conv2d"]);
    const steps = odd.steps.map((step) => ({
      ...step,
      attributes: { ...step.attributes, groups: 3 },
    }));
    await expect(prepareCase(native, { ...odd, steps })).rejects.toThrow("has no 3 groups");
  });
});

/** Channels beside the block sizes, tiles that stick out, images smaller than a tile, every padding. */
const winogradShapes = (
  [
    [1, 16, 16, [8, 8], [1, 1]],
    [7, 16, 17, [4, 4], [1, 1]],
    [7, 17, 24, [9, 11], [0, 0]],
    [1, 24, 40, [7, 13], [2, 2]],
    [1, 40, 17, [12, 5], [0, 2]],
    [7, 3, 16, [13, 6], [2, 1]],
    [1, 40, 5, [3, 3], [0, 0]],
    [1, 16, 16, [1, 2], [1, 1]],
    [3, 64, 48, [16, 17], [1, 1]],
    [1, 8, 32, [66, 70], [1, 1]],
    // So many channels that it goes by panels, and its sums of weights are shared.
    [2, 264, 232, [7, 5], [1, 1]],
  ] as const
).map(
  ([B, C, O, image, padding]): Shape => ({ B, C, O, image, padding, k: [3, 3], stride: [1, 1] }),
);

/** Channels-last, and in blocks, whatever is best here. */
const winogradLayouts = [
  [2, 16, 32, "acdb"],
  [2, 32, 48, "acdb"],
  [1, 24, 40, "acdb"],
  [3, 20, 16, "aBcd16b"],
  [2, 24, 8, "aBcd8b"],
] as const;

const passes = await passesOf(winogradShapes[0]!, "winograd");
describe("winograd", () => {
  test.skipIf(passes.length === 0).each(winogradShapes)("agrees within 1e-3: %o", async (shape) => {
    for (const threads of [1, 2])
      await expectAgreement(convolution(shape, "winograd", passes), 1e-3, threads);
  });

  test.skipIf(passes.length === 0).each(winogradLayouts)(
    "takes %i images of %i to %i channels in %s",
    async (B, C, O, layout) => {
      const shape = { ...winogradShapes[0]!, B, C, O, image: [7, 9] } as const;
      const given = convolution(shape, "winograd", passes);
      const tensors = Object.entries(given.tensors).map(([name, tensor]) => [
        name,
        /^d?[xy]/.test(name) ? { ...tensor, layout } : tensor,
      ]);
      await expectAgreement({ ...given, tensors: Object.fromEntries(tensors) }, 1e-3);
    },
  );
});

test("a step gives the same bits each time, for one thread and for two", async () => {
  const shape = { ...shapes[0]!, B: 7, image: [13, 21] } as const;
  for (const [wanted, C] of [
    ["direct", 24],
    ["direct", 3],
    ["winograd", 24],
  ] as const)
    for (const threads of [1, 2]) {
      const given = convolution({ ...shape, C }, wanted);
      const first = await runCase(native, given, threads);
      const second = await runCase(native, given, threads);
      for (const [name, values] of Object.entries(first))
        expect(second[name], `${wanted}, ${C} channels, ${threads} threads, ${name}`).toEqual(
          values,
        );
    }
});

describe("what is not there is refused, with the reason", () => {
  test("Winograd for a stride of 2", async () => {
    for (const pass of PASSES)
      expect(await refusal(shapes[2]!, "winograd", pass)).toMatch(
        /has no Winograd .* stride \[2, 2\]/,
      );
  });

  test("any choice for an instruction that has none", async () => {
    const x = { shape: [2, 8], values: uniformValues([2, 8], 1) };
    const given: Case = {
      tensors: { x, y: { shape: [2, 8] } },
      steps: [{ kind: "relu", inputs: ["x"], outputs: ["y"], wanted: "direct" }],
    };
    await expect(prepareCase(native, given)).rejects.toThrow(
      'relu "relu": has one implementation only; got "direct"',
    );
  });
});
