/** @file Layouts against a backend with tastes of its own: blocked activations and weights. */

import { describe, expect, test } from "vitest";
import { evaluationGraph, trainingGraph } from "../../src/compile/graph/passes.ts";
import { type LaidOutGraph, layOut } from "../../src/compile/memory/lay-out.ts";
import { type LayoutRequest, layoutBytes, plainLayout } from "../../src/program/index.ts";
import { littleNetwork } from "./networks.ts";

/** Blocked by 8: activations aBcd8b, convolution weights ABcd8b8a (their gradients Abcd8a). */
function blockedLayouts({ kind, inputs, outputs }: LayoutRequest) {
  const wants = (
    operand: LayoutRequest["inputs"][number],
    isWeight: boolean,
    isGradient: boolean,
  ) =>
    operand.dtype === "u8"
      ? "opaque"
      : operand.shape.length !== 4
        ? plainLayout(operand.shape.length)
        : isWeight
          ? isGradient
            ? "Abcd8a"
            : "ABcd8b8a"
          : "aBcd8b";
  const inputLayouts = inputs.map((operand, i) =>
    wants(operand, i === 1 && ["conv2d", "conv2dBackwardData"].includes(kind), false),
  );
  const outputLayouts = outputs.map((operand, i) =>
    wants(operand, i === 0 && kind === "conv2dBackwardWeights", true),
  );
  return {
    inputs: inputLayouts,
    outputs: outputLayouts,
    outputBytes: outputs.map(({ shape, dtype }, i) =>
      outputLayouts[i] === "opaque" ? 100 : layoutBytes(outputLayouts[i]!, shape, dtype),
    ),
    scratchBytes: kind === "conv2d" ? 4096 : 0,
    implementation: "blocked",
  };
}

const backend = { alignment: 64, chooseLayouts: blockedLayouts };
const training = layOut(trainingGraph(littleNetwork(), 4, { labelSmoothing: 0 }), { backend });
const layoutsOf = (graph: LaidOutGraph) =>
  new Map([...graph.tensors.values()].map(({ name, layout }) => [name, layout]));

/** Every operand of every asked instruction has the layout that the backend wants for it. */
function expectAnswered(graph: LaidOutGraph): void {
  const operand = (id: number) => graph.tensors.get(id)!;
  for (const node of graph.nodes) {
    if (node.implementation !== "blocked") continue;
    const answer = blockedLayouts({
      kind: node.op as LayoutRequest["kind"],
      layer: node.layer,
      attributes: node.attributes,
      inputs: node.inputs.map(operand),
      outputs: node.outputs.map(operand),
    });
    expect(node.inputs.map((id) => operand(id).layout)).toEqual(answer.inputs);
    expect(node.outputs.map((id) => operand(id).layout)).toEqual(answer.outputs);
  }
}

describe("layOut", () => {
  test("gives every instruction what the backend wants", () => {
    expectAnswered(training);
    expect(training.nodes.find(({ op }) => op === "conv2d")!.scratchBytes).toBe(4096);
  });

  test("parameters take the forward pass's layout, gradients the parameter's, by a reorder after", () => {
    expect(layoutsOf(training).get("features.0.weight")).toBe("ABcd8b8a");
    for (const [parameter, gradient] of training.gradients)
      expect(training.tensors.get(gradient)!.layout).toBe(training.tensors.get(parameter)!.layout);
    const written = training.nodes.find(({ op }) => op === "conv2dBackwardWeights")!.outputs[0]!;
    const reorder = training.nodes.find(
      ({ inputs, op }) => op === "reorder" && inputs[0] === written,
    );
    expect([...training.gradients.values()]).toContain(reorder!.outputs[0]);
  });

  test("asks for the implementation that was chosen for a request, and for none otherwise", () => {
    const asked: string[] = [];
    layOut(trainingGraph(littleNetwork(), 4, { labelSmoothing: 0 }), {
      implementations: ({ layer, kind }) =>
        layer === "features.4" && kind === "conv2dBackwardData" ? "winograd" : undefined,
      backend: {
        alignment: 64,
        chooseLayouts(request) {
          if (request.wanted) asked.push(`${request.layer} ${request.kind} ${request.wanted}`);
          return blockedLayouts(request);
        },
      },
    });
    expect(asked).toEqual(["features.4 conv2dBackwardData winograd"]);
  });

  test("the images are reordered once, for the forward and the backward pass", () => {
    const images = [...training.tensors.values()].find(({ role }) => role === "images")!;
    expect(images.layout).toBe("abcd");
    const reorders = training.nodes.filter(
      ({ op, inputs }) => op === "reorder" && inputs[0] === images.id,
    );
    expect(reorders).toHaveLength(1);
    const copy = reorders[0]!.outputs[0]!;
    expect(
      training.nodes.filter(({ inputs }) => inputs.includes(copy)).map(({ op }) => op),
    ).toEqual(["conv2d", "conv2dBackwardWeights"]);
  });

  test("flatten reads plain order, by a reorder before", () => {
    const index = training.nodes.findIndex(({ op }) => op === "flatten");
    const [flatten, before] = [training.nodes[index]!, training.nodes[index - 1]!];
    expect(before.op).toBe("reorder");
    expect(training.tensors.get(flatten.inputs[0]!)!.layout).toBe("abcd");
  });

  test("padding counts in bytes", () => {
    const activation = [...training.tensors.values()].find(({ name }) => name === "features.0:y")!;
    expect(activation.shape).toEqual([4, 5, 8, 8]);
    expect(activation.bytes).toBe(4 * 8 * 8 * 8 * 4);
  });

  test("another program of the network takes the parameters as the training program laid them out", () => {
    const persistent = new Map(
      [...layoutsOf(training)].filter(([name]) => name.includes("weight")),
    );
    persistent.set("features.4.weight", "Abcd16a");
    const evaluation = layOut(evaluationGraph(littleNetwork(), 4), { backend, persistent });
    expectAnswered(evaluation);
    expect(layoutsOf(evaluation).get("features.4.weight")).toBe("Abcd16a");
    expect(layoutsOf(evaluation).get("features.4.weight as ABcd8b8a")).toBe("ABcd8b8a");
    expect(layoutsOf(evaluation).has("features.0.weight as ABcd8b8a")).toBe(false);
  });
});
