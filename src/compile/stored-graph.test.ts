/** @file What every network of ours passes, and what a damaged one is refused for. */

import { describe, expect, test } from "vitest";
import { smallNetwork } from "../../test/fuzz/weight-seeds.ts";
import { forwardGraphRecord, type Graph, type Network, rebatch } from "../ir/index.ts";
import { createModel, MODEL_NAMES } from "../models/index.ts";
import { OPS } from "../ops/index.ts";
import { faultOfGraph } from "./stored-graph.ts";

const asStored = (graph: Graph) => forwardGraphRecord.parse(JSON.parse(JSON.stringify(graph)));
const collection: Network[] = MODEL_NAMES.map((name) =>
  createModel(name, { classes: 7, channels: 3, size: 64 }),
);

test.each([smallNetwork, ...collection].map((network) => [network.name, network] as const))(
  "%s passes, for one image and for five",
  (_, network) => {
    const graph = asStored(network.build(1));
    expect(graph).toEqual(JSON.parse(JSON.stringify(network.build(1))));
    expect(faultOfGraph(graph, network)).toBeNull();
    expect(faultOfGraph(rebatch(graph, 5)!, network)).toBeNull();
  },
);

test("every op that a layer can make is one that is read back", () => {
  // The compiler makes these of others, or attaches them.
  const compiled = ["batchNormTrain", "batchNormEvaluate", "softmax", "softmaxCrossEntropy"];
  const made = OPS.filter(({ infer, name }) => infer && !compiled.includes(name));
  const { nodes } = smallNetwork.build(1);
  const used = new Set([...nodes, ...collection.at(2)!.build(1).nodes].map(({ op }) => op));
  expect([...used].sort()).toEqual(made.map(({ name }) => name).sort());
});

describe("a damaged one", () => {
  interface Loose {
    batch: number;
    tensors: Record<string, unknown>[];
    nodes: {
      op: string;
      inputs: number[];
      outputs: number[];
      attributes: Record<string, unknown>;
    }[];
    outputs: Record<string, number>;
  }
  /** The small network's graph with a change to it; null where it has no longer the form of one. */
  const damaged = (change: (graph: Loose) => void): Graph | null => {
    const graph = JSON.parse(JSON.stringify(smallNetwork.build(1)));
    change(graph);
    const parsed = forwardGraphRecord.safeParse(graph);
    return parsed.success ? parsed.data : null;
  };
  const node = (graph: Loose, op: string) => graph.nodes.find((found) => found.op === op)!;
  const value = (graph: Loose) => graph.tensors.findIndex(({ role }) => role === "value");

  test.each<[string, (graph: Loose) => void, string]>([
    [
      "an op of the compiler's",
      (g) => (node(g, "relu").op = "reluBackward"),
      "is no op of a network",
    ],
    ["an unknown op", (g) => (node(g, "relu").op = "__proto__"), "is no op of a network"],
    ["no stride", (g) => delete node(g, "conv2d").attributes.stride, 'conv2d "0" has attributes'],
    ["a stride of 0", (g) => (node(g, "conv2d").attributes.stride = [0, 0]), "has attributes"],
    ["one of text", (g) => (node(g, "conv2d").attributes.stride = "1"), "has attributes"],
    [
      "an attribute of a fused op",
      (g) => (node(g, "conv2d").attributes.relu = true),
      "has attributes",
    ],
    ["half a group", (g) => (node(g, "conv2d").attributes.groups = 0.5), "has attributes"],
    ["too many groups", (g) => (node(g, "conv2d").attributes.groups = 3), "groups divide"],
    ["a negative epsilon", (g) => (node(g, "batchNorm").attributes.epsilon = -1), "has attributes"],
    ["an operand that is not there", (g) => (node(g, "relu").inputs[0] = 999), "reads tensor 999"],
    [
      "one that is made later",
      (g) => (node(g, "relu").inputs[0] = g.outputs.logits!),
      "before it is made",
    ],
    ["no operands", (g) => (node(g, "linear").inputs = []), "has 0 operands"],
    ["too many", (g) => node(g, "relu").inputs.push(0), "has 2 operands"],
    ["no result", (g) => (node(g, "relu").outputs = []), "has 0 outputs"],
    [
      "a result that is a weight",
      (g) => (node(g, "relu").outputs[0] = 1),
      "something else is or makes",
    ],
    ["two of one result", (g) => g.nodes.push(node(g, "relu")), "something else is or makes"],
    ["another shape", (g) => (g.tensors[value(g)]!.shape = [1, 4, 9, 9]), "stored is [1, 4, 9, 9]"],
    [
      "a weight of another shape",
      (g) => (g.tensors[1]!.shape = [4, 2, 3, 3]),
      "expects 3 input channels",
    ],
    ["numbers in disorder", (g) => g.tensors.reverse(), "is numbered"],
    ["no images", (g) => (g.tensors[0]!.role = "parameter"), "it takes none"],
    ["a name twice", (g) => (g.tensors[3]!.name = g.tensors[1]!.name), "two tensors are called"],
    ["another batch", (g) => (g.batch = 2), "it must take images [2, 3, 8, 8]"],
    ["no logits", (g) => (g.outputs = {}), "it gives none"],
    ["logits that are images", (g) => (g.outputs.logits = 0), "which no node makes"],
    [
      "logits of something else",
      (g) => (g.outputs.logits = value(g)),
      "it must give logits [1, 3]",
    ],
  ])("%s", (_, change, message) => {
    const graph = damaged(change);
    expect(graph).not.toBeNull();
    expect(faultOfGraph(graph!, smallNetwork)).toContain(message);
  });

  test.each<[string, (graph: Loose) => void]>([
    ["no tensors", (g) => Reflect.deleteProperty(g, "tensors")],
    ["a tensor of null", (g) => (g.tensors[3] = null as never)],
    ["a shape of text", (g) => (g.tensors[3]!.shape = "44")],
    ["a shape with a hole", (g) => (g.tensors[3]!.shape = [1, null])],
    ["an extent of 0", (g) => (g.tensors[3]!.shape = [0])],
    ["a role of the compiler's", (g) => (g.tensors[3]!.role = "folded")],
    ["bfloat16", (g) => (g.tensors[3]!.dtype = "bf16")],
    ["a node of null", (g) => (g.nodes[0] = null as never)],
    ["an operand of text", (g) => (g.nodes[0]!.inputs[0] = "0" as never)],
    ["attributes of null", (g) => (g.nodes[0]!.attributes = null as never)],
    ["10,001 nodes", (g) => (g.nodes = Array(10_001).fill(g.nodes[0]))],
  ])("%s: not the form of a graph", (_, change) => {
    expect(damaged(change)).toBeNull();
  });

  test("a padding that no memory holds, though every shape fits", () => {
    const graph = damaged((g) => {
      g.nodes = g.nodes.slice(0, 1);
      g.nodes[0]!.attributes.padding = [100_000, 100_000];
      g.tensors[g.nodes[0]!.outputs[0]!]!.shape = [1, 4, 200_006, 200_006];
      g.outputs = { logits: g.nodes[0]!.outputs[0]! };
    })!;
    expect(faultOfGraph(graph, smallNetwork)).toContain("it would make");
  });
});
