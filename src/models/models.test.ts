/** @file Sizes, names and refusals of the collection. */

import { describe, expect, test } from "vitest";
import { ArgumentError } from "../core/errors.ts";
import { elementCount } from "../core/shapes.ts";
import type { Network } from "../ir/index.ts";
import {
  createModel,
  efficientnetLite0,
  MODEL_NAMES,
  mobilenetV2,
  resnet50,
  vanilla,
  vgg11Bn,
} from "./index.ts";

const parameters = (network: Network) =>
  network.build(2).tensors.filter(({ role }) => role === "parameter");
const parameterCount = (network: Network) =>
  parameters(network).reduce((sum, { shape }) => sum + elementCount(shape), 0);

describe("the vanilla CNN", () => {
  test("is four blocks and two linear layers", () => {
    const network = vanilla({ classes: 5, channels: 3, size: 128 });
    const shapes = parameters(network).map(({ name, shape }) => `${name} ${shape.join("x")}`);
    expect(shapes.filter((line) => line.includes("weight") && line.includes("x"))).toEqual([
      "features.0.weight 32x3x3x3",
      "features.4.weight 64x32x3x3",
      "features.8.weight 128x64x3x3",
      "features.12.weight 128x128x3x3",
      "classifier.1.weight 512x8192",
      "classifier.4.weight 5x512",
    ]);
  });

  test("of the publication has three, and most of its weights in the hidden layer", () => {
    const network = createModel("vanilla_2019", { classes: 5, channels: 3, size: 224 });
    // 3 x 32 x 9 + 32, 32 x 64 x 9 + 64, 64 x 128 x 9 + 128, two of each channel's norm; 128 x 28 x 28 into 512, into 5.
    const features = 896 + 18_496 + 73_856 + 2 * (32 + 64 + 128);
    expect(parameterCount(network)).toBe(features + 100_352 * 512 + 512 + 512 * 5 + 5);
    expect(network.name).toBe("vanilla_2019");
  });

  test("takes narrower widths and fewer blocks", () => {
    const network = vanilla({ classes: 10, channels: 1, size: 28, widths: [8, 16], hidden: 64 });
    const last = parameters(network).find(({ name }) => name === "classifier.1.weight")!;
    expect(last.shape).toEqual([64, 16 * 7 * 7]);
  });

  test("says the smallest size that works", () => {
    expect(() => vanilla({ classes: 5, channels: 3, size: 15 })).toThrow(
      "vanilla: 4 poolings leave nothing of 15x15 images; the smallest size that works is 16",
    );
    expect(() => createModel("vanilla_2019", { classes: 5, channels: 3, size: 7 })).toThrow(
      "vanilla_2019: 3 poolings leave nothing of 7x7 images; the smallest size that works is 8",
    );
    expect(() => vanilla({ classes: 5, channels: 3, size: 16 })).not.toThrow();
    expect(() => vanilla({ classes: 5, channels: 3, size: 0 })).toThrow(
      "vanilla: size must be a positive integer; got 0",
    );
  });
});

describe("ResNets", () => {
  // As torchvision's models count them, with 1000 classes.
  test.each([
    ["resnet18", 11_689_512],
    ["resnet34", 21_797_672],
    ["resnet50", 25_557_032],
  ])("%s has %d parameters", (name, count) => {
    expect(parameterCount(createModel(name, { classes: 1000, channels: 3, size: 224 }))).toBe(
      count,
    );
  });

  test("names and places are torchvision's", () => {
    const graph = resnet50({ classes: 4, channels: 3, size: 64 }).build(2);
    const named = new Map(graph.tensors.map(({ name, shape }) => [name, shape]));
    expect(named.get("layer2.0.conv2.weight")).toEqual([128, 128, 3, 3]);
    expect(named.get("layer2.0.downsample.0.weight")).toEqual([512, 256, 1, 1]);
    expect(named.get("layer2.0.downsample.1.running_var")).toEqual([512]);
    expect(named.get("layer1.0.downsample.0.weight")).toEqual([256, 64, 1, 1]);
    expect(named.has("layer1.1.downsample.0.weight")).toBe(false);
    expect(named.get("layer4.2.bn3.weight")).toEqual([2048]);
    expect(named.get("fc.weight")).toEqual([4, 2048]);
    const strided = graph.nodes.find(({ layer }) => layer === "layer2.0.conv2")!;
    expect(strided.attributes.stride).toEqual([2, 2]);
  });
});

test("VGG-11 says the smallest size that works, and takes fewer hidden features", () => {
  expect(() => vgg11Bn({ classes: 2, channels: 3, size: 31 })).toThrow(
    "vgg11_bn: 5 poolings leave nothing of 31x31 images; the smallest size that works is 32",
  );
  const named = parameters(vgg11Bn({ classes: 2, channels: 1, size: 32, hidden: 8 }));
  const shapes = new Map(named.map(({ name, shape }) => [name, shape]));
  expect(shapes.get("classifier.0.weight")).toEqual([8, 512 * 49]);
  expect(shapes.get("classifier.6.weight")).toEqual([2, 8]);
});

test("MobileNetV2's blocks add their input where shapes allow it", () => {
  const { nodes } = mobilenetV2({ classes: 2, channels: 3, size: 32 }).build(2);
  const sums = nodes.filter(({ op }) => op === "add").map(({ layer }) => layer);
  expect(sums).toEqual([3, 5, 6, 8, 9, 10, 12, 13, 15, 16].map((i) => `features.${i}`));
  const depthwise = nodes.filter(({ attributes }) => attributes.groups !== undefined);
  expect(depthwise.map(({ attributes }) => attributes.groups)).toEqual([
    ...[32, 96, 144, 144, 192, 192, 192, 384, 384, 384, 384],
    ...[576, 576, 576, 960, 960, 960],
  ]);
});

describe("EfficientNet-Lite0", () => {
  const { nodes, tensors } = efficientnetLite0({ classes: 2, channels: 3, size: 224 }).build(2);

  test("adds a block's input where shapes allow it", () => {
    const sums = nodes.filter(({ op }) => op === "add").map(({ layer }) => layer);
    expect(sums).toEqual([2, 4, 6, 7, 9, 10, 12, 13, 14].map((i) => `_blocks.${i}`));
  });

  test("has its odd rows and columns of padding after the image, where images are even", () => {
    const uneven = nodes.filter(({ attributes }) => attributes.paddingAfter);
    expect(uneven.map(({ layer, attributes: a }) => [layer, a.padding, a.paddingAfter])).toEqual([
      ["_conv_stem", [0, 0], [1, 1]],
      ["_blocks.1._depthwise_conv", [0, 0], [1, 1]],
      ["_blocks.3._depthwise_conv", [1, 1], [2, 2]],
      ["_blocks.5._depthwise_conv", [0, 0], [1, 1]],
      ["_blocks.11._depthwise_conv", [1, 1], [2, 2]],
    ]);
  });

  test("keeps 7x7 maps of 224x224 images, and names its parameters as its package does", () => {
    const pooled = nodes.find(({ op }) => op === "globalAveragePool")!;
    expect(tensors[pooled.inputs[0]!]!.shape).toEqual([2, 1280, 7, 7]);
    const named = tensors.filter(({ role }) => role === "parameter").map(({ name }) => name);
    expect(named.slice(0, 7)).toEqual([
      "_conv_stem.weight",
      "_bn0.weight",
      "_bn0.bias",
      "_blocks.0._depthwise_conv.weight",
      "_blocks.0._bn1.weight",
      "_blocks.0._bn1.bias",
      "_blocks.0._project_conv.weight",
    ]);
    expect(named.slice(-2)).toEqual(["_fc.weight", "_fc.bias"]);
  });
});

test("an unknown name is refused with the nearest known one", () => {
  const make = () => createModel("resnet35", { classes: 2, channels: 3, size: 32 });
  expect(make).toThrow(ArgumentError);
  expect(make).toThrow(
    'model: "resnet35" is unknown; did you mean "resnet34"? Known: vanilla, vanilla_2019, resnet18, resnet34, resnet50, vgg11_bn, mobilenet_v2, efficientnet_lite0',
  );
  expect(() => createModel("toString", { classes: 2, channels: 3, size: 32 })).toThrow("unknown");
  expect(MODEL_NAMES).toContain("vanilla");
});
