/** @file What is fused, and what must not be. */

import { describe, expect, test } from "vitest";
import {
  batchNorm,
  conv2d,
  flatten,
  type Layer,
  linear,
  maxPool2d,
  network,
  relu,
  residual,
  sequential,
} from "../../layers/index.ts";
import { resnet18, resnet50 } from "../../models/index.ts";
import { evaluationGraph, trainingGraph } from "./passes.ts";

const model = (layers: readonly Layer[]) =>
  network({
    name: "n",
    inputShape: [2, 4, 4],
    classes: 3,
    layer: sequential([...layers, flatten(), linear({ features: 3 })]),
  });

const conv = () => conv2d({ channels: 2, kernel: 3, padding: 1 });
const training = (layers: readonly Layer[]) =>
  trainingGraph(model(layers), 2, { labelSmoothing: 0 }).nodes;
const named = (nodes: ReturnType<typeof training>, op: string) =>
  nodes.filter((node) => node.op === op);

describe("batch norm and relu", () => {
  test("become one, both ways, with one workspace between them", () => {
    const nodes = training([batchNorm(), relu()]);
    const [forward] = named(nodes, "batchNormTrain");
    const [backward] = named(nodes, "batchNormBackward");
    expect(forward!.attributes.relu).toBe(true);
    expect(backward!.attributes.relu).toBe(true);
    expect(forward!.outputs).toHaveLength(4);
    expect(backward!.inputs[6]).toBe(forward!.outputs[3]);
    expect(named(nodes, "relu")).toEqual([]);
    expect(named(nodes, "reluBackward")).toEqual([]);
  });

  test("become one in evaluation", () => {
    const { nodes } = evaluationGraph(model([batchNorm(), relu()]), 2);
    expect(nodes.map(({ op }) => op)).toEqual([
      "batchNormEvaluate",
      "flatten",
      "linear",
      "softmax",
      "softmaxCrossEntropy",
    ]);
    expect(nodes[0]!.attributes.relu).toBe(true);
  });

  test("stay two where the norm's output is read elsewhere too", () => {
    const nodes = training([batchNorm(), residual({ branch: relu() })]);
    expect(named(nodes, "batchNormTrain")[0]!.attributes.relu).toBeUndefined();
    expect(named(nodes, "relu")).toHaveLength(1);
  });

  test("a second relu is left alone", () => {
    const nodes = training([batchNorm(), relu(), relu()]);
    expect(named(nodes, "batchNormTrain")[0]!.outputs).toHaveLength(4);
    expect(named(nodes, "relu")).toHaveLength(1);
    expect(named(nodes, "reluBackward")).toHaveLength(1);
  });
});

describe("batch norm and max pooling", () => {
  const pool = () => maxPool2d({ kernel: 2 });

  test("become one with the relu between them, both ways, with the pooling's workspace", () => {
    const nodes = training([conv(), batchNorm(), relu(), pool()]);
    const [forward] = named(nodes, "batchNormPoolTrain");
    const [backward] = named(nodes, "batchNormPoolBackward");
    expect(forward!.attributes).toMatchObject({ relu: true, kernel: [2, 2], momentum: 0.1 });
    expect(backward!.attributes).toMatchObject({ relu: true, kernel: [2, 2] });
    expect(backward!.inputs.slice(6)).toEqual([forward!.outputs[0], forward!.outputs[3]]);
    expect(nodes.map(({ op }) => op)).toEqual([
      ...["conv2d", "batchNormPoolTrain", "flatten", "linear", "softmaxCrossEntropy"],
      ...["linearBackwardWeights", "linearBackwardData", "unflatten"],
      ...["batchNormPoolBackward", "conv2dBackwardWeights"],
    ]);
  });

  test("stay apart where the normalised image is read elsewhere too", () => {
    const nodes = training([batchNorm(), residual({ branch: relu(), downsample: relu() }), pool()]);
    expect(named(nodes, "maxPool2d")).toHaveLength(1);
    expect(named(nodes, "batchNormTrain")).toHaveLength(1);
  });
});

describe("batch norm and a residual", () => {
  const block = () => [residual({ branch: sequential([conv(), batchNorm()]) }), relu()];

  test("become one with the relu behind them; gradients that meet are not added apart", () => {
    const nodes = training([...block(), ...block()]);
    expect(named(nodes, "batchNormAddTrain").map(({ attributes }) => attributes.relu)).toEqual([
      true,
      true,
    ]);
    const lengths = named(nodes, "batchNormAddBackward").map(({ inputs }) => inputs.length);
    // The last block's output has one reader, the first block's two.
    expect(lengths).toEqual([7, 8]);
    for (const op of ["add", "relu", "reluBackward", "batchNormTrain", "batchNormBackward"])
      expect(named(nodes, op), op).toEqual([]);
  });

  test("become one without a relu; the derivative stays as it is", () => {
    const nodes = training([residual({ branch: sequential([conv(), batchNorm()]) })]);
    expect(named(nodes, "batchNormAddTrain")[0]!.outputs).toHaveLength(3);
    expect(named(nodes, "batchNormBackward")).toHaveLength(1);
    expect(named(nodes, "add")).toEqual([]);
  });

  test("become one in evaluation", () => {
    const { nodes } = evaluationGraph(model(block()), 2);
    expect(nodes.map(({ op }) => op).slice(0, 2)).toEqual(["conv2d", "batchNormAddEvaluate"]);
    expect(nodes[1]!.attributes.relu).toBe(true);
  });

  test("a relu before the sum keeps them apart", () => {
    const nodes = training([residual({ branch: sequential([batchNorm(), relu()]) })]);
    expect(named(nodes, "add")).toHaveLength(1);
  });
});

test.each([resnet18, resnet50])(
  "nothing of a residual network's blocks is left alone: %o",
  (of) => {
    const { nodes } = trainingGraph(of({ classes: 5, channels: 3, size: 64 }), 2, {
      labelSmoothing: 0,
    });
    const alone = ["relu", "reluBackward", "maxPool2d", "maxPool2dBackward"];
    expect(nodes.filter(({ op }) => alone.includes(op))).toEqual([]);
    // Where the gradients of the first block's two paths meet at the pooled stem.
    expect(named([...nodes], "add")).toHaveLength(1);
  },
);

test("relu becomes the epilogue of a convolution; its backward reads the fused output", () => {
  const nodes = training([conv(), relu()]);
  const [forward] = named(nodes, "conv2d");
  expect(forward!.attributes.relu).toBe(true);
  expect(named(nodes, "relu")).toEqual([]);
  expect(named(nodes, "reluBackward")[0]!.inputs[0]).toBe(forward!.outputs[0]);
});

test("relu becomes the epilogue of a sum", () => {
  const nodes = training([residual({ branch: conv() }), relu()]);
  const [sum] = named(nodes, "add");
  expect(sum!.attributes.relu).toBe(true);
  expect(named(nodes, "relu")).toEqual([]);
  expect(named(nodes, "reluBackward")[0]!.inputs[0]).toBe(sum!.outputs[0]);
});

test("the loss gives its gradient as a third output", () => {
  const nodes = training([relu()]);
  expect(named(nodes, "softmaxCrossEntropyGradient")).toEqual([]);
  expect(named(nodes, "softmaxCrossEntropy")[0]!.outputs).toHaveLength(3);
  const evaluation = evaluationGraph(model([]), 2).nodes;
  expect(named([...evaluation], "softmaxCrossEntropy")[0]!.outputs).toHaveLength(2);
});
