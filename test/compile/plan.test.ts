/** @file A planned program computes what the same program computes when nothing shares memory. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encode, inputBytes, outputBytes } from "../../src/compile/encode/encode.ts";
import { evaluationGraph, trainingGraph } from "../../src/compile/graph/passes.ts";
import { type MemoryPlan, plan } from "../../src/compile/memory/arena.ts";
import { delayGradients, planOrdered } from "../../src/compile/memory/delay-gradients.ts";
import { type LaidOutGraph, layOut } from "../../src/compile/memory/lay-out.ts";
import { aligned } from "../../src/compile/memory/offsets.ts";
import { initializeTensors, persistentTensors } from "../../src/compile/memory/persistent.ts";
import { randomStream } from "../../src/core/random.ts";
import { referenceBackend } from "../../src/engine/reference/index.ts";
import type { DifferentiatedGraph, Graph } from "../../src/ir/index.ts";
import {
  flatten,
  linear,
  type Network,
  network,
  relu,
  residual,
  sequential,
} from "../../src/layers/index.ts";
import { resnet18, vanilla } from "../../src/models/index.ts";
import { optimizerScalars, runScalars, sgd } from "../../src/optimizers/index.ts";
import { littleNetwork, randomNetworks } from "./networks.ts";

const backend = referenceBackend({ precision: "f64" });

/** The same storages, one after the other, and no result written over an operand. */
function planWithoutSharing(graph: LaidOutGraph): MemoryPlan {
  const planned = plan(graph, { inPlace: false });
  let end = 0;
  const moved = planned.storages.map((storage) => {
    const offset = end;
    end += aligned(storage.bytes, graph.alignment);
    return { ...storage, offset };
  });
  const tensors = moved.flatMap((storage) => storage.tensors.map((id) => [id, storage] as const));
  return { ...planned, storages: moved, storageOf: new Map(tensors), peakBytes: end };
}

/** Losses of two training steps, then every parameter and state, bit for bit. */
async function outcome(
  network: Network,
  batch: number,
  planner: (graph: LaidOutGraph) => MemoryPlan,
  order = (graph: LaidOutGraph) => graph,
) {
  const graph = order(layOut(trainingGraph(network, batch, { labelSmoothing: 0 }), { backend }));
  const optimizer = sgd({ momentum: 0.9 });
  const persistent = persistentTensors(graph, optimizer);
  const planned = planner(graph);
  const scalars = ["seed", "update", ...runScalars(optimizer).map(({ name }) => name)];
  const program = encode({
    name: "train",
    graph,
    plan: planned,
    persistent,
    scalars,
    update: { optimizer },
  });
  const session = await backend.openSession({
    persistentBytes: persistent.bytes,
    arenaBytes: planned.peakBytes,
    outputBytes: outputBytes(program, backend.alignment),
    ...inputBytes(batch, network.inputShape, backend.alignment),
    slots: 1,
    threads: 1,
  });
  await initializeTensors(session, persistent, 1);
  const stream = randomStream(5, "synthetic");
  const images = session.images(0);
  for (let i = 0; i < images.length; i++) images[i] = stream.uniform() - 0.5;
  const labels = session.labels(0);
  for (let b = 0; b < batch; b++) labels[b] = stream.below(network.classes);
  const loaded = await session.load(program);
  const values: number[] = [];
  for (const update of [0, 1]) {
    const ofRule = optimizerScalars(optimizer, { learningRate: 0.1, t: update + 1 });
    const run = await loaded.run({ slot: 0, scalars: Float64Array.from([9, update, ...ofRule]) });
    values.push(run.loss![0]!);
  }
  for (const { buffer } of persistent.tensors) values.push(...session.readDouble(buffer));
  session.dispose();
  return values;
}

describe("sharing memory changes no bit", () => {
  test("of a network with every kind of layer", async () => {
    const shared = await outcome(littleNetwork(), 3, plan);
    expect(shared).toEqual(await outcome(littleNetwork(), 3, planWithoutSharing));
    expect(shared[0]).not.toBe(shared[1]);
    expect(shared.every(Number.isFinite)).toBe(true);
  });

  test("of random networks, in either order", async () => {
    await fc.assert(
      fc.asyncProperty(randomNetworks, fc.integer({ min: 2, max: 4 }), async (network, batch) => {
        const apart = await outcome(network, batch, planWithoutSharing);
        expect(await outcome(network, batch, plan)).toEqual(apart);
        expect(await outcome(network, batch, plan, delayGradients)).toEqual(apart);
      }),
      { numRuns: 60 },
    );
  });
});

describe("the plan", () => {
  const models = [vanilla, resnet18].map((model) => model({ classes: 5, channels: 3, size: 64 }));
  const graphs = models.flatMap((model) => [
    [`${model.name}, training`, trainingGraph(model, 8, { labelSmoothing: 0 })] as const,
    [`${model.name}, evaluation`, evaluationGraph(model, 8)] as const,
  ]);

  test.each(graphs.map(([name]) => name))(
    "%s: the peak is at the bound or little above",
    (name) => {
      const planned = plan(
        layOut(new Map<string, DifferentiatedGraph | Graph>(graphs).get(name)!, { backend }),
      );
      expect(planned.peakBytes).toBeGreaterThanOrEqual(planned.lowerBoundBytes);
      expect(planned.peakBytes).toBeLessThanOrEqual(1.05 * planned.lowerBoundBytes);
    },
  );

  test("evaluation keeps no activation for a backward pass", () => {
    const bytesOf = (name: string) =>
      plan(layOut(new Map<string, DifferentiatedGraph | Graph>(graphs).get(name)!, { backend }))
        .peakBytes;
    expect(bytesOf("vanilla, evaluation")).toBeLessThan(bytesOf("vanilla, training") / 1.5);
  });

  test("the gradient of a large linear layer waits until the activations are gone", () => {
    const model = vanilla({ classes: 5, channels: 3, size: 64, widths: [16, 32], hidden: 256 });
    const graph = layOut(trainingGraph(model, 32, { labelSmoothing: 0 }), { backend });
    const weights = 4 * 256 * 32 * 16 * 16;
    const [before, after] = [plan(graph), planOrdered(graph)];
    expect(after.plan.peakBytes).toBeLessThan(before.peakBytes - 0.5 * weights);
    const { op, layer } = after.graph.nodes.at(-1)!;
    expect([op, layer]).toEqual(["linearBackwardWeights", "classifier.1"]);
    expect(new Set(after.graph.nodes)).toEqual(new Set(graph.nodes));
  });

  test("a flattened tensor lies where its source lies", () => {
    const graph = layOut(evaluationGraph(littleNetwork(), 2), { backend });
    const planned = plan(graph);
    const flatten = graph.nodes.find(({ op }) => op === "flatten")!;
    expect(planned.storageOf.get(flatten.outputs[0]!)).toBe(
      planned.storageOf.get(flatten.inputs[0]!),
    );
  });

  test("a relu in a residual branch does not overwrite what the sum still reads", () => {
    const layer = sequential([residual({ branch: relu() }), flatten(), linear({ features: 2 })]);
    const model = network({ name: "n", inputShape: [1, 2, 2], classes: 2, layer });
    const graph = layOut(evaluationGraph(model, 2), { backend });
    const planned = plan(graph);
    const [reluNode, sum] = ["relu", "add"].map(
      (op) => graph.nodes.find((node) => node.op === op)!,
    );
    // The images are not the arena's, so the relu needs memory of its own; the sum may take it over.
    expect(planned.storageOf.has(reluNode!.inputs[0]!)).toBe(false);
    expect(planned.storageOf.get(sum!.outputs[0]!)).toBe(
      planned.storageOf.get(reluNode!.outputs[0]!),
    );
  });
});
