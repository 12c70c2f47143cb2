/** @file What is fused, and what must not be. */

import { describe, expect, test } from "vitest";
import {
  batchNorm,
  conv2d,
  flatten,
  type Layer,
  linear,
  network,
  relu,
  residual,
  sequential,
} from "../layers/index.ts";
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

test("relu becomes the epilogue of a convolution; its backward reads the fused output", () => {
  const nodes = training([conv(), relu()]);
  const [forward] = named(nodes, "conv2d");
  expect(forward!.attributes.relu).toBe(true);
  expect(named(nodes, "relu")).toEqual([]);
  expect(named(nodes, "reluBackward")[0]!.inputs[0]).toBe(forward!.outputs[0]);
});

test("relu after a sum stays an instruction of its own", () => {
  expect(named(training([residual({ branch: conv() }), relu()]), "relu")).toHaveLength(1);
});

test("the loss gives its gradient as a third output", () => {
  const nodes = training([relu()]);
  expect(named(nodes, "softmaxCrossEntropyGradient")).toEqual([]);
  expect(named(nodes, "softmaxCrossEntropy")[0]!.outputs).toHaveLength(3);
  const evaluation = evaluationGraph(model([]), 2).nodes;
  expect(named([...evaluation], "softmaxCrossEntropy")[0]!.outputs).toHaveLength(2);
});
