/**
 * @file What is bf16 in a compiled network, and that its programs compute what those of the reference
 * backend do, and nearly what fp32 does. Products are emulated where the processor has none of bf16;
 * everything else is the engine's own code for it.
 */

import { describe, expect, test } from "vitest";
import {
  type CompiledNetwork,
  type CompileOptions,
  compileNetwork,
  compilePredictor,
  printProgram,
} from "../../src/compile/index.ts";
import { randomStream } from "../../src/core/random.ts";
import { nativeBackend } from "../../src/engine/native/index.ts";
import { referenceBackend } from "../../src/engine/reference/index.ts";
import {
  batchNorm,
  conv2d,
  flatten,
  type Network,
  network,
  relu,
  sequential,
} from "../../src/layers/index.ts";
import { createModel, vanilla } from "../../src/models/index.ts";
import { sgd } from "../../src/optimizers/index.ts";
import type { Backend, Program } from "../../src/program/index.ts";
import { inTurn } from "./in-turn.ts";
import { littleNetwork, residualNetwork } from "./networks.ts";

const native = nativeBackend({ threads: 2, emulateBf16: true });
const reference = referenceBackend({ precision: "f64" });

const compiled = (
  model: Network,
  backend: Backend,
  options: Partial<CompileOptions> = {},
): CompiledNetwork =>
  compileNetwork({
    network: model,
    backend,
    batch: 8,
    lastBatch: 5,
    optimizer: sgd({ momentum: 0.9 }),
    threads: 2,
    slots: 1,
    precision: "bf16",
    ...options,
  });

const all = ({ programs }: CompiledNetwork): Program[] =>
  Object.values(programs).filter((program) => program !== null);

describe("element types", () => {
  const network = compiled(littleNetwork(), native);
  const { buffers, instructions } = network.programs.train;
  const named = (name: string) => buffers.find((buffer) => buffer.name === name)!;

  test("activations and their gradients are bf16; parameters, statistics and the loss f32", () => {
    for (const name of ["features.0:y", "features.3:y", "classifier.2:y", "features.4:dx"])
      expect(named(name).dtype, name).toBe("bf16");
    const kept = [
      ...["features.0.weight", "features.1.running_var", "features.0:dweight", "features.1:mean"],
      ...["images", "classifier.3:y", "loss:dlogits", "loss:loss", "features.1:dgamma"],
    ];
    for (const name of kept) expect(named(name).dtype, name).toBe("f32");
    for (const { buffer } of network.tensors) expect(buffer.dtype, buffer.name).toBe("f32");
  });

  test("a bf16 buffer takes two bytes an element", () => {
    const { shape, layout, bytes } = named("features.4:y");
    expect(shape).toEqual([8, 6, 4, 4]);
    // Six channels are padded to a block of what the processor takes at once.
    const block = { aBcd8b: 8, aBcd16b: 16 }[layout as string]!;
    expect(bytes).toBe(8 * block * 16 * 2);
    // 24 channels: where a first block is one instruction, what would take most bytes is in neither.
    const model = vanilla({ classes: 3, channels: 3, size: 64, hidden: 16, widths: [24, 32, 64] });
    const half = compiled(model, reference).memory;
    const whole = compiled(model, reference, { precision: "fp32" }).memory;
    expect(half.arenaBytes).toBeLessThan(0.7 * whole.arenaBytes);
  });

  test("each weight is converted once for all that read it in one layout", () => {
    const made = compiled(littleNetwork(), reference).programs.train;
    const dtypeOf = (id: number) => made.buffers[id]!.dtype;
    const conversions = made.instructions.filter(
      ({ kind, inputs, outputs }) =>
        kind === "reorder" && dtypeOf(inputs[0]!) !== dtypeOf(outputs[0]!),
    );
    expect(conversions.map(({ inputs }) => made.buffers[inputs[0]!]!.name)).toEqual([
      ...["images", "features.0.weight", "features.4.weight"],
      ...["classifier.1.weight", "classifier.3.weight", "loss:dlogits"],
    ]);
  });

  test("a parameter lies as its gradient is made, so that the optimizer reads both as they are", () => {
    const update = instructions.at(-1)!.optimizer!;
    for (const { parameter, gradient } of update.segments)
      expect(buffers[gradient]!.layout).toBe(buffers[parameter]!.layout);
    const gradients = new Set(update.segments.map(({ gradient }) => gradient));
    for (const { kind, inputs, outputs } of instructions)
      if (kind === "reorder")
        expect([...inputs, ...outputs].filter((id) => gradients.has(id))).toEqual([]);
  });

  test("what a program gives out is f32, also where the last layer makes bf16", () => {
    const convolutional = networkWithoutLinear();
    for (const program of all(compiled(convolutional, native)))
      for (const id of Object.values(program.outputs))
        expect(program.buffers[id]!.dtype).toBe("f32");
  });

  test("fp32 is the default, and has none", () => {
    const options = { precision: undefined };
    for (const program of all(compiled(littleNetwork(), native, options)))
      expect(program.buffers.filter(({ dtype }) => dtype === "bf16")).toEqual([]);
    expect(compiled(littleNetwork(), native, options).programs).toEqual(
      compiled(littleNetwork(), native, { precision: "fp32" }).programs,
    );
  });

  test("explain prints them", () => {
    const text = printProgram(network.programs.train);
    expect(text).toMatch(/reorder +features\.0 .*y bf16 \[8, 3, 8, 8\] abcd +x f32 \[8, 3, 8, 8\]/);
    expect(text).toMatch(/conv2d +features\.0 .* weight bf16 \[5, 3, 3, 3\] \w+, bias f32 \[5\] a/);
  });
});

/** Its logits are what ReLU leaves. */
const networkWithoutLinear = (): Network =>
  network({
    name: "convolutional",
    inputShape: [1, 3, 3],
    classes: 4,
    layer: sequential([conv2d({ channels: 4, kernel: 3 }), batchNorm(), relu(), flatten()]),
  });

interface Outcome {
  readonly losses: readonly number[];
  readonly probabilities: Float64Array;
  readonly statistics: readonly number[];
}

/** A few training steps, one of them with the small batch; then evaluation and prediction. */
async function outcome(
  model: Network,
  backend: Backend,
  { steps = 4, ...options }: Partial<CompileOptions> & { readonly steps?: number } = {},
): Promise<Outcome> {
  const made = compiled(model, backend, options);
  const session = await backend.openSession(made.sessionOptions);
  await made.initialize(session, 4);
  const stream = randomStream(4, "synthetic");
  const images = session.images(0);
  for (let i = 0; i < images.length; i++) images[i] = 2 * stream.uniform() - 1;
  const { train, trainLast, evaluate, predict } = made.programs;
  for (let i = 0; i < train.batch; i++) session.labels(0)[i] = i % model.classes;
  const [full, last] = [await session.load(train), trainLast && (await session.load(trainLast))];
  const losses: number[] = [];
  for (let update = 0; update < steps; update++) {
    const scalars = made.scalars({ seed: 4, update, learningRate: 0.01 });
    const program = update === 2 && last ? last : full;
    losses.push((await program.run({ slot: 0, scalars })).loss![0]!);
  }
  const scalars = made.scalars({ seed: 4, update: steps });
  losses.push((await (await session.load(evaluate)).run({ slot: 0, scalars })).loss![0]!);
  const { probabilities } = await (await session.load(predict)).run({ slot: 0, scalars });
  const statistics = await inTurn(
    made.tensors.filter(({ role }) => role === "statistic"),
    async ({ buffer }) => [...(await session.read(buffer))],
  );
  session.dispose();
  return { losses, probabilities: probabilities!, statistics: statistics.flat() };
}

function expectNear(actual: Outcome, expected: Outcome, tolerance: Record<keyof Outcome, number>) {
  for (const key of ["losses", "probabilities", "statistics"] as const) {
    expect(actual[key]).toHaveLength(expected[key].length);
    const worst = Math.max(
      ...Array.from(expected[key], (value, i) => Math.abs(actual[key][i]! - value)),
    );
    expect(worst, key).toBeLessThan(tolerance[key]);
  }
}

/** Roundings that fall to the other side, as sums are taken in another order. */
const ORDER = { losses: 0.01, probabilities: 2e-3, statistics: 0.01 };
/** What 8 bits of precision in place of 24 change in so few steps. */
const ROUNDING = { losses: 0.03, probabilities: 5e-3, statistics: 0.02 };

describe("programs in bf16 agree with those of the reference backend, and nearly with fp32", () => {
  test.each([
    ["every kind of layer, channels beside the block", littleNetwork, {}],
    [
      "the vanilla CNN",
      () => vanilla({ classes: 4, channels: 1, size: 16, widths: [16, 17, 32], hidden: 24 }),
      {},
    ],
    ["residual connections, odd sizes", residualNetwork, {}],
    ["residual connections, frozen but for the last", residualNetwork, { trainFrom: "9" }],
    ["logits that are not a product's", networkWithoutLinear, {}],
  ] as const)("%s", async (_, make, options) => {
    const expected = await outcome(make(), reference, options);
    expectNear(await outcome(make(), native, options), expected, ORDER);
    const single = await outcome(make(), reference, { ...options, precision: "fp32" });
    expectNear(expected, single, ROUNDING);
    expect(expected.losses[0]).not.toBe(single.losses[0]);
  });

  test("a ResNet-18: the same bits each time, and nearly what fp32 gives", async () => {
    const model = createModel("resnet18", { classes: 4, channels: 3, size: 64 });
    const options = { batch: 4, lastBatch: 0, steps: 2, trainFrom: "layer2" };
    const first = await outcome(model, native, options);
    expect(await outcome(model, native, options)).toEqual(first);
    const single = await outcome(model, native, { ...options, precision: "fp32" });
    // Eighteen layers of roundings, one after the other; where each falls depends on the order of the
    // sums, and so on the processor.
    expectNear(first, single, { losses: 0.03, probabilities: 0.02, statistics: 0.05 });
  });
});

describe("refused", () => {
  test("where the processor has no bf16, before anything is compiled", () => {
    const without = {
      ...native,
      capabilities: { ...native.capabilities, bf16: false },
      description: "oneDNN 2.6.3, avx2, 2 threads",
    };
    expect(() => compiled(littleNetwork(), without)).toThrow(
      'little: precision "bf16" needs a processor with AVX512-BF16 or AMX, which this one is not (oneDNN 2.6.3, avx2, 2 threads); use "fp32"',
    );
    const predictor = { network: littleNetwork(), backend: without, batch: 1, threads: 1 };
    expect(() => compilePredictor({ ...predictor, precision: "bf16" })).toThrow(
      "needs a processor",
    );
    expect(nativeBackend().description).not.toContain("emulated");
    expect(native.description).toMatch(/, bf16 emulated$/);
  });

  test("a precision of another name", () => {
    expect(() => compiled(littleNetwork(), native, { precision: "fp16" as "bf16" })).toThrow(
      'little: precision must be "fp32" or "bf16"; got "fp16"',
    );
  });
});
