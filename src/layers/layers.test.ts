/** @file Names, shapes, initial values, and what is said where layers do not fit. */

import { describe, expect, test } from "vitest";
import { ArgumentError, ShapeError } from "../core/errors.ts";
import { GraphBuilder, printGraph } from "../ir/index.ts";
import * as layers from "./index.ts";
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
  network,
  relu,
  relu6,
  residual,
  sequential,
} from "./index.ts";

const graphOf = (layer: Layer, shape: readonly number[] = [2, 3, 8, 8]) => {
  const builder = new GraphBuilder("test", shape[0]!);
  const y = layer.build(builder.images(shape), { builder, name: "" });
  return builder.finish({ y });
};
const outputShape = (layer: Layer, shape?: readonly number[]) => {
  const graph = graphOf(layer, shape);
  return graph.tensors[graph.outputs.y!]!.shape;
};

describe("shapes", () => {
  const shapes: readonly (readonly [string, Layer, readonly number[]])[] = [
    ["conv2d keeps the size", conv2d({ channels: 5, kernel: 3, padding: 1 }), [2, 5, 8, 8]],
    ["conv2d rounds down", conv2d({ channels: 1, kernel: 3, stride: 2 }), [2, 1, 3, 3]],
    ["conv2d, oblong", conv2d({ channels: 1, kernel: [1, 5], padding: [0, 1] }), [2, 1, 8, 6]],
    ["conv2d, same", conv2d({ channels: 1, kernel: 5, stride: 2, padding: "same" }), [2, 1, 4, 4]],
    ["maxPool2d", maxPool2d({ kernel: 3 }), [2, 3, 2, 2]],
    ["maxPool2d, padded", maxPool2d({ kernel: 3, stride: 2, padding: 1 }), [2, 3, 4, 4]],
    ["flatten", flatten(), [2, 192]],
    ["globalAveragePool", globalAveragePool(), [2, 3]],
    ["adaptiveAveragePool2d", adaptiveAveragePool2d({ size: [3, 5] }), [2, 3, 3, 5]],
    ["batchNorm", batchNorm(), [2, 3, 8, 8]],
    ["relu", relu(), [2, 3, 8, 8]],
    ["relu6", relu6(), [2, 3, 8, 8]],
    ["dropout", dropout(), [2, 3, 8, 8]],
    ["linear", sequential([flatten(), linear({ features: 7 })]), [2, 7]],
    ["residual", residual({ branch: relu() }), [2, 3, 8, 8]],
    ["sequential, empty", sequential([]), [2, 3, 8, 8]],
  ];
  test.each(shapes)("%s", (_, layer, shape) => expect(outputShape(layer)).toEqual(shape));

  // Of one output place each, the sum of zeros and image is what the window covers.
  test.each([
    [[8, 8], 3, 2, [0, 0], [1, 1]],
    [[7, 8], 3, 2, [1, 0], [1, 1]],
    [[7, 8], 5, 2, [2, 1], [2, 2]],
    [[7, 7], 3, 1, [1, 1], undefined],
    [[8, 8], 2, 1, [0, 0], [1, 1]],
    [[9, 9], 1, 2, [0, 0], undefined],
    [[5, 8], [1, 4], [2, 3], [0, 1], undefined],
  ] as const)(
    "padding same of %o by %o, stride %o: %o before, %o after",
    (image, kernel, stride, padding, paddingAfter) => {
      const layer = conv2d({ channels: 2, kernel, stride, padding: "same" });
      const { attributes } = graphOf(layer, [2, 3, ...image]).nodes[0]!;
      expect(attributes.padding).toEqual(padding);
      expect(attributes.paddingAfter).toEqual(paddingAfter);
      const steps = typeof stride === "number" ? [stride, stride] : stride;
      const [, , ...size] = outputShape(layer, [2, 3, ...image]);
      expect(size).toEqual(image.map((extent, i) => Math.ceil(extent / steps[i]!)));
    },
  );

  test("of each layer that there is", () => {
    const named = shapes.map(([title]) => title.split(/[ ,]/)[0]);
    const makers = Object.keys(layers).filter((name) => name !== "network");
    expect(makers.filter((name) => !named.includes(name))).toEqual([]);
  });
});

test("parameters are named as PyTorch names them", () => {
  const layer = sequential({
    features: sequential([conv2d({ channels: 4, kernel: 3 }), batchNorm(), relu()]),
    block: residual({
      branch: sequential({ conv1: conv2d({ channels: 4, kernel: 1, bias: false }) }),
      downsample: sequential([conv2d({ channels: 4, kernel: 1 })]),
    }),
  });
  const named = graphOf(layer).tensors.filter(({ role }) => role !== "value" && role !== "images");
  expect(named.map(({ name }) => name)).toEqual([
    "features.0.weight",
    "features.0.bias",
    "features.1.weight",
    "features.1.bias",
    "features.1.running_mean",
    "features.1.running_var",
    "block.conv1.weight",
    "block.downsample.0.weight",
    "block.downsample.0.bias",
  ]);
});

test("initial values: within 1 / sqrt(fan in), or the fan-out normal", () => {
  const initializers = (layer: Layer) =>
    graphOf(layer).tensors.flatMap(({ initializer }) => initializer ?? []);
  const bound = 1 / Math.sqrt(3 * 5 * 5);
  const uniform = { kind: "uniform", low: -bound, high: bound };
  expect(initializers(conv2d({ channels: 4, kernel: 5 }))).toEqual([uniform, uniform]);
  const normal = conv2d({ channels: 8, kernel: 3, bias: false, initialization: "fanOut" });
  expect(initializers(normal)).toEqual([{ kind: "normal", std: Math.sqrt(2 / (8 * 9)) }]);
  const biased = conv2d({ channels: 8, kernel: 3, initialization: "fanOut" });
  expect(initializers(biased)[1]).toEqual({ kind: "constant", value: 0 });
  const dense = sequential([flatten(), linear({ features: 2, initialization: 0.01 })]);
  expect(initializers(dense)).toEqual([
    { kind: "normal", std: 0.01 },
    { kind: "constant", value: 0 },
  ]);
  const ofLinear = initializers(sequential([flatten(), linear({ features: 2 })]));
  expect(ofLinear[0]).toEqual({
    kind: "uniform",
    low: -1 / Math.sqrt(192),
    high: 1 / Math.sqrt(192),
  });
  expect(initializers(batchNorm()).map((i) => i.kind === "constant" && i.value)).toEqual([
    1, 0, 0, 1,
  ]);
});

test("dropouts are numbered in order", () => {
  const { nodes } = graphOf(sequential([dropout(), relu(), dropout({ p: 0.1 })]));
  expect(nodes.map(({ attributes }) => attributes.layerIndex)).toEqual([0, undefined, 1]);
});

describe("what does not fit is refused by the layer's name", () => {
  const small = [64, 32, 64, 64];
  test.each<[Layer, readonly number[], string]>([
    [
      sequential({ "features.4": conv2d({ channels: 64, kernel: 3, inputChannels: 16 }) }),
      small,
      'conv2d "features.4": expects 32 input channels to match x [64, 32, 64, 64]; weight is [64, 16, 3, 3]',
    ],
    [
      sequential([flatten(), linear({ features: 10, inputFeatures: 784 })]),
      [128, 512],
      'linear "1": expects weight [O, 512] to match x [128, 512]; weight is [10, 784]',
    ],
    [
      sequential([linear({ features: 10 })]),
      [2, 3, 4, 4],
      'linear "0": expects x (B,I); x is [2, 3, 4, 4]: put a flatten before it',
    ],
    [
      sequential([maxPool2d({ kernel: 2 }), maxPool2d({ kernel: 2 })]),
      [2, 3, 3, 3],
      'maxPool2d "1": a window of [2, 2] does not fit an image of [1, 1] with padding [0, 0]; use larger images or fewer poolings',
    ],
    [
      sequential([maxPool2d({ kernel: 2, padding: 2 })]),
      small,
      'maxPool2d "0": padding must be at most half the kernel [2, 2]; padding is [2, 2]',
    ],
    [
      sequential([flatten(), batchNorm()]),
      small,
      'batchNorm "1": expects x (B,C,H,W); x is [64, 131072]',
    ],
    [
      sequential({ block: residual({ branch: conv2d({ channels: 8, kernel: 1 }) }) }),
      small,
      'add "block": expects two tensors of one shape; they are [64, 8, 64, 64] and [64, 32, 64, 64]',
    ],
  ])("%#: %3$s", (layer, shape, message) => {
    expect(() => graphOf(layer, shape)).toThrow(ShapeError);
    expect(() => graphOf(layer, shape)).toThrow(message);
  });

  test.each<[() => unknown, string]>([
    [
      () => conv2d({ channels: 0, kernel: 3 }),
      "conv2d: channels must be a positive integer; got 0",
    ],
    [
      () => conv2d({ channels: 1, kernel: [3, 0] }),
      "conv2d: kernel must be a positive integer; got 0",
    ],
    [
      () => conv2d({ channels: 1, kernel: 3, padding: -1 }),
      "conv2d: padding must be an integer, 0 or more; got -1",
    ],
    [() => dropout({ p: 1 }), "dropout: p must be in [0, 1); got 1"],
    [() => batchNorm({ epsilon: 0 }), "batchNorm: epsilon must be a positive number; got 0"],
    [() => linear({ features: 2.5 }), "linear: features must be a positive integer; got 2.5"],
  ])("%#", (make, message) => {
    expect(make).toThrow(ArgumentError);
    expect(make).toThrow(message);
  });
});

describe("network", () => {
  const head = sequential([flatten(), linear({ features: 4 })]);

  test("its last layer must give one number a class", () => {
    expect(() => network({ name: "n", inputShape: [1, 2, 2], classes: 5, layer: head })).toThrow(
      "n: the last layer must give (B,5), one number a class; it gives [2, 4]",
    );
    expect(() => network({ name: "n", inputShape: [1, 2, 2], classes: 1, layer: head })).toThrow(
      "n: classes must be 2 or more; got 1",
    );
  });

  test("two layers of one name are refused", () => {
    const twin = conv2d({ channels: 1, kernel: 1 });
    const clash: Layer = { build: (x, scope) => twin.build(twin.build(x, scope), scope) };
    const layer = sequential([clash, head]);
    expect(() => network({ name: "n", inputShape: [1, 2, 2], classes: 4, layer })).toThrow(
      'n: two tensors are called "0.weight"; give each layer a name of its own',
    );
  });

  test("builds the same graph for any batch, and prints it", () => {
    const model = network({ name: "n", inputShape: [1, 2, 2], classes: 4, layer: head });
    expect(printGraph(model.build(7))).toBe(
      [
        "graph n, batch 7",
        "0:y [7, 4] = flatten(images)",
        "1:y [7, 4] = linear(0:y, 1.weight, 1.bias)",
        "outputs logits: 1:y",
      ].join("\n"),
    );
  });
});
