/** @file What differentiation emits and, as important, what it does not. */

import { describe, expect, test } from "vitest";
import {
  conv2d,
  flatten,
  type Layer,
  linear,
  maxPool2d,
  type Network,
  network,
  relu,
  residual,
  sequential,
} from "../../layers/index.ts";
import { differentiate } from "./differentiate.ts";
import { attachLoss, specialise } from "./specialise.ts";
import { needingGradient, trim } from "./trim.ts";

const model = (layers: readonly Layer[]): Network =>
  network({
    name: "n",
    inputShape: [2, 4, 4],
    classes: 3,
    layer: sequential([...layers, flatten(), linear({ features: 3 })]),
  });

/** The graph with some parameters frozen. */
function frozen(network: Network, isFrozen: (name: string) => boolean) {
  const graph = specialise(attachLoss(network.build(2), { labelSmoothing: 0 }), "train");
  const tensors = graph.tensors.map((tensor) =>
    tensor.role === "parameter" && isFrozen(tensor.name) ? { ...tensor, trainable: false } : tensor,
  );
  return { ...graph, tensors };
}

const derivative = (network: Network, isFrozen: (name: string) => boolean = () => false) =>
  differentiate(frozen(network, isFrozen));

const opsOf = (graph: { nodes: readonly { op: string; layer: string }[] }) =>
  graph.nodes.map(({ op, layer }) => `${op} ${layer}`);

const conv = () => conv2d({ channels: 2, kernel: 3, padding: 1 });

describe("differentiate", () => {
  test("the first convolution gets no gradient of the images", () => {
    const ops = opsOf(derivative(model([conv(), conv()])));
    expect(ops).toContain("conv2dBackwardWeights 0");
    expect(ops).not.toContain("conv2dBackwardData 0");
    expect(ops).toContain("conv2dBackwardData 1");
  });

  test("weights come before data, so that the input is free by then", () => {
    const ops = opsOf(derivative(model([conv(), conv()])));
    expect(ops.indexOf("conv2dBackwardWeights 1")).toBeLessThan(
      ops.indexOf("conv2dBackwardData 1"),
    );
  });

  test("every trainable parameter has a gradient of its shape, in order of declaration", () => {
    const graph = derivative(model([conv(), relu()]));
    const names = [...graph.gradients.keys()].map((id) => graph.tensors[id]!.name);
    expect(names).toEqual(["0.weight", "0.bias", "3.weight", "3.bias"]);
    for (const [parameter, gradient] of graph.gradients)
      expect(graph.tensors[gradient]!.shape).toEqual(graph.tensors[parameter]!.shape);
  });

  test("nothing is computed for what lies before the first trainable parameter", () => {
    const isBody = (name: string) => !name.startsWith("4.");
    const graph = derivative(model([conv(), maxPool2d({ kernel: 2 }), conv()]), isBody);
    const backward = opsOf(graph).filter((op) => op.includes("Backward"));
    expect(backward).toEqual(["linearBackwardWeights 4"]);
    const pool = graph.nodes.find(({ op }) => op === "maxPool2d")!;
    expect(pool.outputs).toHaveLength(1);
  });

  test("a frozen layer between trainable ones passes the gradient on", () => {
    const graph = derivative(model([conv(), conv()]), (name) => name.startsWith("1."));
    const ops = opsOf(graph);
    expect(ops).toContain("conv2dBackwardData 1");
    expect(ops).not.toContain("conv2dBackwardWeights 1");
    expect([...graph.gradients.keys()].map((id) => graph.tensors[id]!.name)).toEqual([
      "0.weight",
      "0.bias",
      "3.weight",
      "3.bias",
    ]);
  });

  test("gradients that meet at a fan-out are added once", () => {
    const graph = derivative(model([conv(), residual({ branch: relu() })]));
    const sums = graph.nodes.filter(({ op }) => op === "add");
    // The residual's own, and one for the two gradients of what the convolution gives.
    expect(sums).toHaveLength(2);
    expect(sums[1]!.layer).toBe("1");
  });

  test("a parameter that does not reach the loss is refused by name", () => {
    const unused: Layer = {
      build: (x, { builder }) => {
        builder.parameter("spare", [3], { kind: "constant", value: 0 });
        return x;
      },
    };
    expect(() => derivative(model([unused]))).toThrow(
      'n: parameter "spare" does not influence the loss; remove it or freeze it',
    );
  });
});

describe("trim", () => {
  test("drops nodes whose results nobody reads", () => {
    const spare: Layer = {
      build: (x, scope) => {
        relu().build(x, { ...scope, name: "spare" });
        return x;
      },
    };
    const graph = model([spare]).build(2);
    expect(opsOf(graph)).toContain("relu spare");
    expect(opsOf(trim(graph))).not.toContain("relu spare");
  });

  test("needing a gradient starts at the trainable parameters", () => {
    const graph = model([conv()]).build(2);
    const names = [...needingGradient(graph)].map((id) => graph.tensors[id]!.name);
    expect(names).not.toContain("images");
    expect(names).toEqual(
      expect.arrayContaining(["0.weight", "0.bias", "0:y", "1:y", "2.weight", "2:y"]),
    );
  });
});
