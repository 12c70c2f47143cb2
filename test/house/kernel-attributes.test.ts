/**
 * @file Attributes as they are read: what the reference kernels and the ONNX writer ask of an instruction is
 * what src/program/kernels.ts declares for its kind. Each read is recorded while a program runs.
 */

import { expect, test } from "vitest";
import { fit } from "../../src/browser.ts";
import { arrayDataset } from "../../src/data/array-dataset.ts";
import { referenceBackend } from "../../src/engine/reference/index.ts";
import { encodeOnnx } from "../../src/formats/index.ts";
import {
  adaptiveAveragePool2d,
  batchNorm,
  conv2d,
  dropout,
  globalAveragePool,
  type Layer,
  linear,
  maxPool2d,
  network,
  relu,
  relu6,
  residual,
  sequential,
} from "../../src/layers/index.ts";
import { createOptimizer } from "../../src/optimizers/index.ts";
import { type Backend, KERNELS, type KernelSpec, type Program } from "../../src/program/index.ts";
import { prepareCase } from "../conformance/harness.ts";

/** Names that were asked for, by the kind that they were asked of. */
class Reads {
  readonly byKind = new Map<string, Set<string>>();

  /** The same attributes; whoever asks for one by its name is heard, whether it is there or not. */
  listen<T extends object>(kind: string, attributes: T): T {
    const names = this.byKind.get(kind) ?? new Set();
    this.byKind.set(kind, names);
    return new Proxy(attributes, {
      get(target, name, receiver) {
        names.add(String(name));
        return Reflect.get(target, name, receiver);
      },
    });
  }

  of(kind: string): string[] {
    return [...(this.byKind.get(kind) ?? [])].sort();
  }
}

const declared = (kind: keyof typeof KERNELS): string[] =>
  Object.keys((KERNELS[kind] as KernelSpec).attributes).sort();

const listenedTo = (program: Program, reads: Reads): Program => ({
  ...program,
  instructions: program.instructions.map((instruction) => ({
    ...instruction,
    attributes: reads.listen(instruction.kind, instruction.attributes),
  })),
});

/** The reference engine, heard while its programs run. */
function heardEngine(reads: Reads): Backend {
  const backend = referenceBackend();
  return {
    ...backend,
    async openSession(options) {
      const session = await backend.openSession(options);
      return { ...session, load: (program) => session.load(listenedTo(program, reads)) };
    },
  };
}

const [size, channels, classes] = [8, 3, ["a", "b", "c"]];

const ofLayers = (...layers: Layer[]) =>
  network({
    name: "each kind",
    inputShape: [channels, size, size],
    classes: classes.length,
    layer: sequential([...layers, globalAveragePool(), linear({ features: classes.length })]),
  });

/** Every layer, with and without the neighbours that it is fused with. */
const everything = ofLayers(
  conv2d({ channels: 6, kernel: 3, padding: 1, groups: 3 }),
  relu6(),
  batchNorm(),
  conv2d({ channels: 4, kernel: [3, 4], padding: "same" }),
  batchNorm(),
  relu(),
  maxPool2d({ kernel: 2 }),
  residual({ branch: conv2d({ channels: 4, kernel: 1 }) }),
  residual({ branch: sequential([conv2d({ channels: 4, kernel: 1 }), batchNorm()]) }),
  relu(),
  dropout(),
  maxPool2d({ kernel: 2 }),
  relu(),
  adaptiveAveragePool2d({ size: 1 }),
);

/** What an engine may compute as one instruction. */
const firstBlock = ofLayers(
  conv2d({ channels: 16, kernel: 3, padding: 1 }),
  batchNorm(),
  relu(),
  maxPool2d({ kernel: 2 }),
);

test("a kernel of the reference engine reads the attributes of its kind, all of them and no others", async () => {
  const reads = new Reads();
  const backend = heardEngine(reads);
  const count = 30;
  const dataset = await arrayDataset({
    images: Uint8Array.from({ length: count * size * size * channels }, (_, i) => (i * 37) % 256),
    labels: Int32Array.from({ length: count }, (_, i) => i % classes.length),
    classes,
  });
  const optimizer = createOptimizer("sgd");
  for (const trained of [everything, firstBlock])
    await fit({ dataset, network: trained, backend, optimizer, epochs: 1, batch: 8 });
  // A norm that is frozen amid what is trained is in no program that layers make.
  const values = [1, 2, 3, 4];
  const shape = [4];
  const { program, session } = await prepareCase(backend, {
    tensors: {
      dy: { shape: [1, 4, 1, 1], values },
      gamma: { shape, values },
      runningVariance: { shape, values },
      dx: { shape: [1, 4, 1, 1] },
    },
    steps: [
      {
        kind: "batchNormEvaluateBackward",
        attributes: { epsilon: 1e-5 },
        inputs: ["dy", "gamma", "runningVariance"],
        outputs: ["dx"],
      },
    ],
  });
  await (await session.load(program)).run({ slot: 0, scalars: new Float64Array([0, 0]) });

  const kinds = Object.keys(KERNELS) as (keyof typeof KERNELS)[];
  const ran = kinds.filter((kind) => reads.byKind.has(kind));
  // Those that no such program needs take none.
  expect(kinds.filter((kind) => !ran.includes(kind) && declared(kind).length > 0)).toEqual([]);
  expect(Object.fromEntries(ran.map((kind) => [kind, reads.of(kind)]))).toEqual(
    Object.fromEntries(ran.map((kind) => [kind, declared(kind)])),
  );
});

test("the ONNX writer reads declared attributes alone, and passes over those that inference has no use for", () => {
  const reads = new Reads();
  const graph = everything.build(1);
  const tensors = new Map(
    graph.tensors
      .filter(({ role }) => role === "parameter" || role === "statistic")
      .map(({ name, shape }) => [
        name,
        { shape: [...shape], data: new Float32Array(shape.reduce((a, b) => a * b, 1)) },
      ]),
  );
  encodeOnnx({
    graph: {
      ...graph,
      nodes: graph.nodes.map((node) => ({
        ...node,
        attributes: reads.listen(node.op, node.attributes),
      })),
    },
    tensors,
  });
  const unread: Record<string, string[]> = {};
  for (const { op, attributes } of graph.nodes) {
    // What is not decided yet becomes, in inference, the kind that evaluates; flatten is no instruction.
    const kind = op === "batchNorm" ? "batchNormEvaluate" : op;
    const known = kind in KERNELS ? declared(kind as keyof typeof KERNELS) : [];
    expect({ op, undeclared: reads.of(op).filter((name) => !known.includes(name)) }).toEqual({
      op,
      undeclared: [],
    });
    const passed = Object.keys(attributes).filter((name) => !reads.of(op).includes(name));
    if (passed.length > 0) unread[op] = passed;
  }
  expect(unread).toEqual({ batchNorm: ["momentum"], dropout: ["p", "layerIndex"] });
});

test("a read that is not declared is heard", () => {
  const reads = new Reads();
  const attributes = reads.listen("relu", { slope: 1 });
  expect([attributes.slope, Reflect.get(attributes, "shift")]).toEqual([1, undefined]);
  expect(reads.of("relu")).toEqual(["shift", "slope"]);
});
