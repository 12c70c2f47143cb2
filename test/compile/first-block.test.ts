/**
 * @file A first block as one instruction: when it is, and that a network which has it trains as the same network
 * does that cannot have it, as something else reads what its convolution writes.
 */

import { describe, expect, test } from "vitest";
import { fuseFirstBlock } from "../../src/compile/graph/fuse-first-block.ts";
import { recalibrationGraph, trainingGraph } from "../../src/compile/graph/passes.ts";
import { compileNetwork } from "../../src/compile/index.ts";
import { randomStream } from "../../src/core/random.ts";
import { nativeBackend } from "../../src/engine/native/index.ts";
import {
  batchNorm,
  conv2d,
  flatten,
  type Layer,
  linear,
  maxPool2d,
  network,
  relu,
  sequential,
} from "../../src/layers/index.ts";
import { resnet18 } from "../../src/models/index.ts";
import { add, globalAveragePool, linear as linearOp } from "../../src/ops/index.ts";
import { sgd } from "../../src/optimizers/index.ts";
import { inTurn } from "./in-turn.ts";

const CLASSES = 4;
const pool = () => maxPool2d({ kernel: 2 });
const conv = (channels: number, kernel = 3) =>
  conv2d({ channels, kernel, padding: (kernel - 1) / 2 });

const model = (layers: readonly Layer[], inputShape: [number, number, number] = [3, 16, 12]) =>
  network({
    name: "n",
    inputShape,
    classes: CLASSES,
    layer: sequential([...layers, flatten(), linear({ features: CLASSES })]),
  });

const opsOf = (layers: readonly Layer[], inputShape?: [number, number, number]) =>
  fuseFirstBlock(trainingGraph(model(layers, inputShape), 2, { labelSmoothing: 0 })).nodes.map(
    ({ op }) => op,
  );
const BLOCK = ["conv2dNormPoolTrain", "conv2dNormPoolBackward"];

describe("a first block becomes one", () => {
  test("both ways, with the relu between them or without", () => {
    for (const between of [[relu()], []]) {
      const ops = opsOf([conv(16), batchNorm(), ...between, pool()]);
      expect(ops).toEqual([
        ...["conv2dNormPoolTrain", "flatten", "linear", "softmaxCrossEntropy"],
        ...["linearBackwardWeights", "linearBackwardData", "unflatten", "conv2dNormPoolBackward"],
      ]);
    }
  });

  test("where nothing is derived, with no workspace", () => {
    const graph = recalibrationGraph(model([conv(16), batchNorm(), relu(), pool()]), 2)!;
    const [block] = fuseFirstBlock(graph).nodes;
    expect(block!.op).toBe("conv2dNormPoolTrain");
    expect(block!.outputs).toHaveLength(3);
  });

  test.each([
    ["the second block", [conv(16), batchNorm(), relu(), pool(), conv(16), batchNorm(), pool()], 1],
    ["outputs that fill no vector", [conv(24), batchNorm(), pool()], 0],
    ["windows that overlap", [conv(16), batchNorm(), maxPool2d({ kernel: 3, stride: 2 })], 0],
    [
      "a stride",
      [conv2d({ channels: 16, kernel: 3, stride: 2, padding: 1 }), batchNorm(), pool()],
      0,
    ],
    ["many weights", [conv(16, 5), batchNorm(), pool()], 0],
  ] as const)("but not %s", (_, layers, count) => {
    const ops = opsOf(layers);
    for (const kind of BLOCK) expect(ops.filter((op) => op === kind)).toHaveLength(count);
  });

  test("but not where a row of pixels is left over, nor a residual network's stem", () => {
    expect(opsOf([conv(16), batchNorm(), pool()], [3, 15, 12])).not.toContain(BLOCK[0]);
    const stem = trainingGraph(resnet18({ classes: 5, channels: 3, size: 64 }), 2, {
      labelSmoothing: 0,
    });
    expect(fuseFirstBlock(stem).nodes).toEqual(stem.nodes);
  });

  test("but not where its moments cost more than the memory that it spares", () => {
    const layers = [conv(16), batchNorm(), pool()];
    const kinds = (channels: number, precision: "fp32" | "bf16") =>
      fuseFirstBlock(
        trainingGraph(model(layers, [channels, 16, 12]), 2, { labelSmoothing: 0 }),
        precision,
      ).nodes.map(({ op }) => op);
    // Seven channels make 658 products a place, and 16 outputs of two bytes are little memory.
    expect(kinds(7, "bf16")).not.toContain(BLOCK[0]);
    expect(kinds(7, "fp32")).toContain(BLOCK[0]);
    expect(kinds(3, "bf16")).toContain(BLOCK[0]);
  });
});

/** Reads what the convolution writes, and adds nothing to the logits. */
const readAgain = (inner: Layer): Layer => ({
  build(images, context) {
    const { builder } = context;
    const made = conv(16).build(images, { ...context, name: "conv" });
    const rest = sequential([batchNorm(), relu(), pool(), inner]);
    const logits = rest.build(made, { ...context, name: "rest" });
    const x = builder.apply(globalAveragePool, "again", { x: made }, {}).y;
    const weight = builder.parameter(
      "again.weight",
      [CLASSES, 16],
      { kind: "constant", value: 0 },
      false,
    );
    const nothing = builder.apply(linearOp, "nothing", { x, weight }, {}).y;
    return builder.apply(add, "sum", { a: logits, b: nothing }, {}).y;
  },
});

const readOnce = (inner: Layer): Layer => ({
  build(images, context) {
    const made = conv(16).build(images, { ...context, name: "conv" });
    return sequential([batchNorm(), relu(), pool(), inner]).build(made, {
      ...context,
      name: "rest",
    });
  },
});

/** Losses of so many steps, and what is trained after them. */
async function trained(layer: Layer, precision: "fp32" | "bf16", steps: number) {
  const backend = nativeBackend({ threads: 2, emulateBf16: precision === "bf16" });
  const compiled = compileNetwork({
    network: network({ name: "n", inputShape: [3, 16, 12], classes: CLASSES, layer }),
    backend,
    batch: 8,
    optimizer: sgd({ momentum: 0.9 }),
    threads: 2,
    slots: 1,
    precision,
  });
  const session = await backend.openSession(compiled.sessionOptions);
  await compiled.initialize(session, 1);
  const stream = randomStream(2, "synthetic");
  session.images(0).forEach((_, i, images) => {
    images[i] = 2 * stream.uniform() - 1;
  });
  session.labels(0).set([0, 1, 2, 3, 0, 1, 2, 3]);
  const program = await session.load(compiled.programs.train);
  const losses: number[] = [];
  for (let update = 0; update < steps; update++) {
    const scalars = compiled.scalars({ seed: 1, update, learningRate: 0.05 });
    losses.push((await program.run({ slot: 0, scalars })).loss![0]!);
  }
  const kept = compiled.tensors.filter(({ name }) => /^(conv|rest)\./.test(name));
  const values = await inTurn(
    kept.filter(({ role }) => role !== "state"),
    async ({ name, buffer }) => [name, [...(await session.read(buffer))]] as const,
  );
  session.dispose();
  const kinds = compiled.programs.train.instructions.map(({ kind }) => kind);
  return { kinds, losses, values: new Map(await Promise.all(values)) };
}

const inner = sequential([flatten(), linear({ features: CLASSES })]);

test("a network with it trains as one that cannot have it", async () => {
  const one = await trained(readOnce(inner), "fp32", 4);
  const apart = await trained(readAgain(inner), "fp32", 4);
  for (const kind of BLOCK) {
    expect(one.kinds).toContain(kind);
    expect(apart.kinds).not.toContain(kind);
  }
  for (const [i, loss] of one.losses.entries())
    expect(Math.abs(loss - apart.losses[i]!)).toBeLessThan(2e-5);
  expect([...one.values.keys()]).toEqual([...apart.values.keys()]);
  expect([...one.values.values()].flat().length).toBeGreaterThan(500);
  for (const [name, values] of one.values) {
    const others = apart.values.get(name)!;
    const greatest = Math.max(1e-2, ...others.map(Math.abs));
    const worst = Math.max(...values.map((value, i) => Math.abs(value - others[i]!)));
    expect(worst / greatest, name).toBeLessThan(2e-5);
  }
});

test("in bf16 its gradients err no more than those of the parts, which round more often", async () => {
  const exact = await trained(readAgain(inner), "fp32", 1);
  const errorsOf = async (layer: Layer) => {
    const { kinds, values } = await trained(layer, "bf16", 1);
    const error = (name: string, of: readonly number[]) =>
      Math.hypot(...of.map((value, i) => value - exact.values.get(name)![i]!));
    return { kinds, errors: new Map([...values].map(([name, of]) => [name, error(name, of)])) };
  };
  const [one, apart] = [await errorsOf(readOnce(inner)), await errorsOf(readAgain(inner))];
  expect(one.kinds).toContain(BLOCK[0]);
  expect(apart.kinds).not.toContain(BLOCK[0]);
  for (const name of ["conv.weight", "rest.0.weight", "rest.0.bias"]) {
    expect(apart.errors.get(name), name).toBeGreaterThan(0);
    expect(one.errors.get(name)!, name).toBeLessThan(2 * apart.errors.get(name)!);
  }
});
