/**
 * @file Frozen layers: what they cost (a forward pass with batch norm folded), what they keep (every
 * bit), and that neither folding nor cutting the network in two changes what it computes.
 */

import { describe, expect, test } from "vitest";
import { predictionGraph, trainingGraph } from "../../src/compile/graph/passes.ts";
import {
  compileFeatures,
  compileNetwork,
  printSummary,
  splitNetwork,
} from "../../src/compile/index.ts";
import { randomStream } from "../../src/core/random.ts";
import { nativeBackend } from "../../src/engine/native/index.ts";
import { referenceBackend } from "../../src/engine/reference/index.ts";
import type { Network } from "../../src/ir/index.ts";
import { resnet18, vanilla } from "../../src/models/index.ts";
import { createOptimizer } from "../../src/optimizers/index.ts";
import type { Backend, Session } from "../../src/program/index.ts";
import { generate, relativeError } from "../conformance/harness.ts";
import { inTurn } from "./in-turn.ts";
import { littleNetwork } from "./networks.ts";

const native = nativeBackend({ threads: 2 });
const BATCH = 4;
const resnet = resnet18({ classes: 5, channels: 3, size: 64 });

interface OpenOptions {
  readonly network: Network;
  readonly backend?: Backend;
  readonly trainFrom?: string;
  readonly frozenBatchNorm?: "evaluate" | "train";
}

/** A network in memory, its weights drawn and its running statistics moved away from 0 and 1. */
async function open({ backend = native, ...options }: OpenOptions) {
  const compiled = compileNetwork({
    backend,
    batch: BATCH,
    optimizer: createOptimizer("adam"),
    slots: 1,
    threads: 2,
    ...options,
  });
  const session = await backend.openSession(compiled.sessionOptions);
  await compiled.initialize(session, 7);
  await moveStatistics(session, compiled.tensors);
  await compiled.prepare(session);
  session.labels(0).set([0, 1, 2, 3]);
  return { compiled, session };
}

type Opened = Awaited<ReturnType<typeof open>>;

/** The same values for a name in every network. */
async function moveStatistics(
  session: Session,
  tensors: Opened["compiled"]["tensors"],
): Promise<void> {
  for (const { name, role, buffer } of tensors) {
    if (role !== "statistic") continue;
    const stream = randomStream(
      [...name].reduce((sum, c) => sum + c.charCodeAt(0), 0),
      "synthetic",
    );
    const low = name.endsWith("running_var") ? 0.5 : -0.2;
    const values = Float32Array.from({ length: buffer.shape[0]! }, () => low + stream.uniform());
    await session.write(buffer, values);
  }
}

/** Another batch for each update, the same for every network. */
function images(length: number, update: number): Float32Array {
  const stream = randomStream(update, "synthetic");
  return generate(length, () => 2 * stream.uniform() - 1);
}

async function train({ compiled, session }: Opened, updates: number, input = images) {
  const program = await session.load(compiled.programs.train);
  const losses: number[] = [];
  for (let update = 0; update < updates; update++) {
    session.images(0).set(input(session.images(0).length, update));
    const scalars = compiled.scalars({ seed: 7, update, learningRate: 1e-3 });
    losses.push((await program.run({ slot: 0, scalars })).loss![0]!);
  }
  return losses;
}

const sameBits = (a: Float32Array, b: Float32Array) =>
  Buffer.from(a.buffer).equals(Buffer.from(b.buffer));

const valuesOf = async ({ compiled, session }: Opened) =>
  new Map(
    await inTurn(
      compiled.tensors,
      async ({ name, buffer }) => [name, await session.read(buffer)] as const,
    ),
  );

describe("which parameters are trained", () => {
  const trained = (trainFrom: string) => {
    const { gradients, tensors } = trainingGraph(resnet, 2, { labelSmoothing: 0 }, { trainFrom });
    return [...gradients.keys()].map((id) => tensors[id]!.name);
  };

  test.each([
    ["all", "conv1.weight", 62],
    ["layer4", "layer4.0.conv1.weight", 17],
    ["layer4.1", "layer4.1.conv1.weight", 8],
    ["fc", "fc.weight", 2],
    ["head", "fc.weight", 2],
  ])("%s", (trainFrom, first, count) => {
    expect(trained(trainFrom)[0]).toBe(first);
    expect(trained(trainFrom)).toHaveLength(count);
  });

  test("an unknown module is refused, with the nearest", () => {
    expect(() => trained("layer5")).toThrow(
      /no module "layer5".*did you mean "layer\d"\? Known: all, head, conv1/,
    );
    expect(() => trained("")).toThrow("no module");
    expect(() => trained("fc.weight")).toThrow('did you mean "fc"');
  });
});

describe("a frozen prefix", () => {
  const { nodes } = trainingGraph(resnet, 2, { labelSmoothing: 0 }, { trainFrom: "layer4" });
  const isTrained = (layer: string) => /^(layer4|fc|avgpool|loss)/.test(layer);

  test("has no batch norm left, and no backward", () => {
    const frozen = nodes.filter(({ layer }) => !isTrained(layer));
    const kinds = new Set(frozen.map(({ op }) => op));
    expect([...kinds].sort()).toEqual(["add", "conv2d", "maxPool2d"]);
    expect(frozen.filter(({ op }) => op === "add").every(({ attributes }) => attributes.relu)).toBe(
      true,
    );
    // The pooling keeps no workspace.
    expect(frozen.find(({ op }) => op === "maxPool2d")!.outputs).toHaveLength(1);
  });

  test("keeps nothing for a backward but what the trained part reads", () => {
    const loss = nodes.findIndex(({ op }) => op === "softmaxCrossEntropy");
    const made = nodes.filter(({ layer }) => !isTrained(layer)).flatMap(({ outputs }) => outputs);
    const read = new Set(nodes.slice(loss).flatMap(({ inputs }) => inputs));
    // The last frozen block's output.
    expect(made.filter((id) => read.has(id))).toHaveLength(1);
  });

  test("is counted", async () => {
    const { compiled, session } = await open({ network: resnet, trainFrom: "layer4" });
    expect(compiled.trainedParameterCount).toBe(8_396_293);
    expect(compiled.parameterCount).toBe(11_179_077);
    expect(printSummary(compiled)).toContain("11179077, 2782784 of them frozen");
    session.dispose();
  });

  test("changes by no bit, statistics included; the rest is trained", async () => {
    const opened = await open({ network: resnet, trainFrom: "layer4" });
    const before = await valuesOf(opened);
    await train(opened, 3);
    const after = await valuesOf(opened);
    for (const [name, values] of after) {
      expect(sameBits(values, before.get(name)!), name).toBe(!isTrained(name));
    }
    opened.session.dispose();
  });

  test('frozenBatchNorm "train": its statistics move, its parameters do not', async () => {
    const opened = await open({ network: resnet, trainFrom: "layer4", frozenBatchNorm: "train" });
    const before = await valuesOf(opened);
    await train(opened, 2);
    for (const [name, values] of await valuesOf(opened)) {
      const moves = isTrained(name) || name.includes("running_");
      expect(sameBits(values, before.get(name)!), name).toBe(!moves);
    }
    opened.session.dispose();
  });

  test("a batch of one example is enough for frozen batch norms", () => {
    const options = { labelSmoothing: 0 };
    const small = resnet18({ classes: 3, channels: 3, size: 32 });
    expect(() => trainingGraph(small, 1, options)).toThrow("single value per channel");
    expect(() => trainingGraph(small, 1, options, { trainFrom: "head" })).not.toThrow();
  });
});

describe("folding", () => {
  test.each([
    ["float64 reference", referenceBackend({ precision: "f64" }), 1e-6],
    ["native", native, 1e-5],
  ] as const)("changes no prediction: %s", async (_, backend, tolerance) => {
    const network = littleNetwork();
    // All trainable: nothing is folded. Trained from the head: everything is.
    const [plain, folded] = await inTurn(["all", "head"], (trainFrom) =>
      open({ network, backend, trainFrom }),
    );
    expect(plain!.compiled.programs.predict.instructions.map(({ kind }) => kind)).toContain(
      "batchNormEvaluate",
    );
    expect(folded!.compiled.programs.predict.instructions.map(({ kind }) => kind)).not.toContain(
      "batchNormEvaluate",
    );
    const [expected, actual] = await Promise.all(
      [plain!, folded!].map(async ({ compiled, session }) => {
        session.images(0).set(images(session.images(0).length, 1));
        const scalars = compiled.scalars({ seed: 0, update: 0 });
        const outputs = await (await session.load(compiled.programs.predict)).run({
          slot: 0,
          scalars,
        });
        session.dispose();
        return outputs.probabilities!;
      }),
    );
    expect(relativeError(actual!, expected!)).toBeLessThan(tolerance);
  });

  test("a convolution whose output is read elsewhere too, or that is trained, is left alone", () => {
    const whole = predictionGraph(resnet, 2).nodes.map(({ op }) => op);
    expect(whole).toContain("batchNormEvaluate");
    expect(whole).toContain("batchNormAddEvaluate");
    const folded = predictionGraph(resnet, 2, { whole: true }).nodes.map(({ op }) => op);
    expect(folded.filter((op) => op.startsWith("batchNorm"))).toEqual([]);
  });
});

describe("a network split in two", () => {
  const cases = [
    ["resnet18", resnet, "layer4"],
    ["resnet18", resnet, "head"],
    ["vanilla", vanilla({ classes: 5, channels: 3, size: 32 }), "classifier"],
    ["vanilla", vanilla({ classes: 5, channels: 3, size: 32 }), "head"],
  ] as const;

  test.each(cases)(
    "%s, case %#: prefix and rest train as the whole does",
    async (_, network, trainFrom) => {
      const whole = await open({ network, trainFrom });
      const expected = await train(whole, 3);

      const { prefix, rest } = splitNetwork(network, trainFrom);
      const features = compileFeatures({ prefix, backend: native, batch: BATCH, threads: 2 });
      const extractor = await native.openSession(features.sessionOptions);
      const weights = new Map(whole.compiled.tensors.map((tensor) => [tensor.name, tensor]));
      for (const { name, buffer } of features.tensors)
        await extractor.write(buffer, await whole.session.read(weights.get(name)!.buffer));
      await features.prepare(extractor);
      const program = await extractor.load(features.program);
      const inputs: Float32Array[] = [];
      for (let update = 0; update < 3; update++) {
        extractor.images(0).set(images(extractor.images(0).length, update));
        const outputs = await program.run({ slot: 0, scalars: features.scalars });
        inputs.push(Float32Array.from(outputs.features!));
      }
      const second = await open({ network: rest });
      expect(second.compiled.trainedParameterCount).toBe(whole.compiled.trainedParameterCount);
      const actual = await train(second, 3, (_length, update) => inputs[update]!);
      expect(actual).toEqual(expected);
      const end = await valuesOf(whole);
      for (const [name, values] of await valuesOf(second))
        expect(sameBits(values, end.get(name)!), name).toBe(true);
      for (const session of [whole.session, extractor, second.session]) session.dispose();
    },
  );

  test("says what its features are", () => {
    expect(splitNetwork(resnet, "layer4").prefix.featureShape).toEqual([256, 4, 4]);
    expect(splitNetwork(resnet, "head").prefix.featureShape).toEqual([512, 1, 1]);
    expect(splitNetwork(resnet, "head").rest.inputShape).toEqual([512, 1, 1]);
  });

  test("is refused where nothing comes before, or two tensors cross", () => {
    expect(() => splitNetwork(resnet, "all")).toThrow("nothing comes before it");
    expect(() => splitNetwork(resnet, "layer4.0.conv2")).toThrow("2 tensors cross");
  });
});
