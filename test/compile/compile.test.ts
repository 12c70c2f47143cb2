/** @file compileNetwork: what programs share, what is refused, and how the result is printed. */

import { describe, expect, test } from "vitest";
import type { Precision } from "../../src/compile/graph/precision.ts";
import {
  compileNetwork,
  compilePredictor,
  instructionRows,
  printProgram,
  printSummary,
} from "../../src/compile/index.ts";
import type { CompileOptions } from "../../src/compile/types.ts";
import { referenceBackend } from "../../src/engine/reference/index.ts";
import { batchNorm, conv2d, flatten, linear, network, sequential } from "../../src/layers/index.ts";
import { vanilla } from "../../src/models/index.ts";
import { adam, sgd } from "../../src/optimizers/index.ts";
import { inTurn } from "./in-turn.ts";
import { littleNetwork } from "./networks.ts";

const backend = referenceBackend({ precision: "f64" });
const compile = (options: Partial<CompileOptions> = {}) =>
  compileNetwork({
    network: littleNetwork(),
    backend,
    batch: 6,
    optimizer: adam(),
    threads: 1,
    ...options,
  });

describe("the programs of a network", () => {
  const compiled = compile({ lastBatch: 2, classWeights: [1, 2, 3, 4] });
  const { train, trainLast, evaluate, predict } = compiled.programs;
  const all = [train, trainLast!, evaluate, predict];

  test("share the persistent buffers, by id, offset and layout", () => {
    const persistent = compiled.tensors.map(({ buffer }) => buffer);
    for (const program of all)
      expect(program.buffers.slice(0, persistent.length)).toEqual(persistent);
    const ends = persistent.map(({ offset, bytes }) => offset + bytes);
    persistent.slice(1).forEach(({ offset }, i) => {
      expect(offset % 64).toBe(0);
      expect(offset).toBeGreaterThanOrEqual(ends[i]!);
    });
    expect(compiled.sessionOptions.persistentBytes).toBeGreaterThanOrEqual(Math.max(...ends));
  });

  test("number their buffers by position, and fit the session's regions", () => {
    const limits = {
      persistent: compiled.sessionOptions.persistentBytes,
      arena: compiled.sessionOptions.arenaBytes,
      images: compiled.sessionOptions.imageBytes,
      labels: compiled.sessionOptions.labelBytes,
      outputs: compiled.sessionOptions.outputBytes,
    };
    for (const { buffers } of all)
      buffers.forEach((buffer, i) => {
        expect(buffer.id).toBe(i);
        expect(buffer.offset + buffer.bytes).toBeLessThanOrEqual(limits[buffer.region]);
      });
  });

  test("are plain data", () => {
    for (const program of all) expect(JSON.parse(JSON.stringify(program))).toEqual(program);
  });

  test("name their outputs, and take one list of scalars", () => {
    expect(all.map(({ outputs }) => Object.keys(outputs))).toEqual([
      ["loss", "correct"],
      ["loss", "correct"],
      ["loss", "correct", "probabilities"],
      ["probabilities"],
    ]);
    const scalars = compiled.scalars({ seed: 3, update: 4, learningRate: 0.1 });
    expect([...scalars.slice(0, 2)]).toEqual([3, 4]);
    for (const program of all) {
      expect(program.scalars.slice(0, 2)).toEqual(["seed", "update"]);
      expect(program.scalars).toHaveLength(scalars.length);
    }
    expect(scalars[train.scalars.indexOf("learningRate")]).toBe(0.1);
    expect(all.map(({ batch }) => batch)).toEqual([6, 2, 6, 6]);
  });

  test("end with the optimizer only where they train", () => {
    expect(all.map(({ instructions }) => instructions.at(-1)!.kind)).toEqual([
      "optimizer",
      "optimizer",
      "softmaxCrossEntropy",
      "softmax",
    ]);
    const segments = train.instructions.at(-1)!.optimizer!.segments;
    const parameters = compiled.tensors.filter(({ role }) => role === "parameter");
    expect(segments.map(({ name }) => name)).toEqual(parameters.map(({ name }) => name));
    for (const { parameter, gradient, state } of segments) {
      const like = train.buffers[parameter]!;
      for (const id of [gradient, ...state])
        expect(train.buffers[id]).toMatchObject({
          shape: like.shape,
          layout: like.layout,
          bytes: like.bytes,
        });
    }
  });

  test("drop out in training alone; evaluation has neither smoothing nor class weights", () => {
    const kinds = all.map(({ instructions }) => instructions.map(({ kind }) => kind));
    expect(kinds.map((list) => list.includes("dropout"))).toEqual([true, true, false, false]);
    expect(evaluate.instructions.at(-1)!.inputs).toHaveLength(2);
    expect(
      train.instructions.find(({ kind }) => kind === "softmaxCrossEntropy")!.inputs,
    ).toHaveLength(3);
    expect(compiled.tensors.find(({ role }) => role === "constant")!.values).toEqual([1, 2, 3, 4]);
  });

  test("initial weights depend on the network and the seed alone, not on the optimizer", async () => {
    const weights = await inTurn([adam(), sgd()], async (optimizer) => {
      const other = compile({ optimizer });
      const session = await backend.openSession(other.sessionOptions);
      await other.initialize(session, 11);
      const parameters = other.tensors.filter(({ role }) => role === "parameter");
      return parameters.map(({ buffer }) => session.readDouble(buffer));
    });
    expect(weights[0]).toEqual(weights[1]);
    expect(new Set(weights[0]![0]).size).toBeGreaterThan(100);
  });
});

describe("a training step", () => {
  test("clips the gradient to its largest norm", async () => {
    const moved = async (clip: number | undefined) => {
      const compiled = compile({ optimizer: sgd(), ...(clip !== undefined && { clip }) });
      const session = await backend.openSession(compiled.sessionOptions);
      await compiled.initialize(session, 1);
      session.images(0).fill(0.5);
      session.images(0)[7] = 2;
      session.labels(0).set([0, 1, 2, 3, 0, 0]);
      const parameters = compiled.tensors.filter(({ role }) => role === "parameter");
      const read = () => parameters.flatMap(({ buffer }) => [...session.readDouble(buffer)]);
      const before = read();
      const scalars = compiled.scalars({ seed: 0, update: 0, learningRate: 1 });
      await (await session.load(compiled.programs.train)).run({ slot: 0, scalars });
      return Math.hypot(...read().map((value, i) => value - before[i]!));
    };
    const norm = await moved(undefined);
    expect(norm).toBeGreaterThan(0.1);
    expect(await moved(norm / 4)).toBeCloseTo(norm / 4, 5);
    expect(await moved(norm * 4)).toBeCloseTo(norm, 9);
  });

  test("counts arithmetic: twice the multiplications of each convolution and linear layer", () => {
    const layer = sequential([
      conv2d({ channels: 4, kernel: 3 }),
      flatten(),
      linear({ features: 2 }),
    ]);
    const plainNetwork = network({ name: "n", inputShape: [2, 6, 6], classes: 2, layer });
    const { flops } = compile({ network: plainNetwork, batch: 3 });
    const convolution = 2 * (3 * 4 * 4 * 4) * (2 * 3 * 3);
    const product = 2 * 3 * 2 * (4 * 4 * 4);
    const loss = 5 * 3 * 2;
    expect(flops.forward).toBe(convolution + product + loss);
    // The images need no gradient: the convolution runs backwards once, the linear layer twice.
    expect(flops.backward).toBe(convolution + 2 * product);
  });
});

describe("refusals", () => {
  test("a batch that gives batch norm one value per channel, training or last", () => {
    const layer = sequential([
      conv2d({ channels: 2, kernel: 4 }),
      batchNorm(),
      flatten(),
      linear({ features: 2 }),
    ]);
    const narrow = network({ name: "n", inputShape: [1, 4, 4], classes: 2, layer });
    const message =
      'batchNorm "1": a training batch of 1 gives it a single value per channel (x is [1, 2, 1, 1]); use another batch size, drop the last batch, or use larger images';
    expect(() => compile({ network: narrow, batch: 1 })).toThrow(message);
    expect(() => compile({ network: narrow, batch: 5, lastBatch: 1 })).toThrow(message);
    expect(() => compile({ network: narrow, batch: 2 })).not.toThrow();
  });

  test.each([
    [{ batch: 0 }, "little: batch must be a positive integer; got 0"],
    [
      { lastBatch: 6 },
      "little: lastBatch must be smaller than batch (6); got 6: use 0 if there is none",
    ],
    [{ labelSmoothing: 1 }, "little: labelSmoothing must be in [0, 1); got 1"],
    [{ classWeights: [1, 2] }, "little: classWeights must be 4 numbers, one a class; got 2"],
    [
      { classWeights: [1, -1, 0, 0] },
      "little: each class weight must be a number, 0 or more; got -1",
    ],
    [{ classWeights: [0, 0, 0, 0] }, "little: one class weight at least must be above 0"],
    [{ threads: 1.5 }, "little: threads must be a positive integer; got 1.5"],
    [{ clip: 0 }, "clip must be a positive number; got 0"],
  ])("%o", (options, message) => {
    expect(() => compile(options)).toThrow(message);
  });
});

test("a predictor agrees with the prediction program", async () => {
  const compiled = compile();
  const predictor = compilePredictor({ network: littleNetwork(), backend, batch: 6, threads: 1 });
  const session = await backend.openSession(compiled.sessionOptions);
  const alone = await backend.openSession(predictor.sessionOptions);
  await compiled.initialize(session, 2);
  const named = new Map(compiled.tensors.map(({ name, buffer }) => [name, buffer]));
  for (const { name, buffer } of predictor.tensors)
    await alone.write(buffer, session.readDouble(named.get(name)!));
  await predictor.prepare(alone);
  for (const images of [session.images(0), alone.images(0)])
    images.forEach((_, i) => {
      images[i] = Math.sin(i);
    });
  const scalars = compiled.scalars({ seed: 0, update: 0 });
  const together = await (await session.load(compiled.programs.predict)).run({ slot: 0, scalars });
  const single = await (await alone.load(predictor.program)).run({
    slot: 0,
    scalars: predictor.scalars,
  });
  // The predictor folds batch norm into the convolutions before it.
  for (const [i, p] of single.probabilities!.entries())
    expect(p).toBeCloseTo(together.probabilities![i]!, 5);
  expect(single.probabilities!.slice(0, 4).reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12);
});

describe("explain", () => {
  const compiled = compileNetwork({
    network: vanilla({ classes: 5, channels: 3, size: 128 }),
    backend,
    batch: 64,
    optimizer: adam(),
    threads: 1,
  });

  test("prints an instruction a line, with operands, attributes and arithmetic", () => {
    const text = printProgram(compiled.programs.train);
    expect(text).toContain("program train, batch 64");
    const line = text
      .split("\n")
      .find((row) => row.includes("conv2d ") && row.includes("features.4"));
    expect(line).toMatch(
      /weight f32 \[64, 32, 3, 3\] abcd.*stride=\[1, 1\] padding=\[1, 1\] +9\.664 GFLOP +96\.1 MiB/,
    );
    expect(text).toContain("features.0.weight:m");
  });

  test("counts the bytes that an instruction must move", () => {
    const rows = instructionRows(compiled.programs.train);
    const linearRow = rows.find(
      ({ kind, layer }) => kind === "linear" && layer === "classifier.4",
    )!;
    expect(linearRow.bytes).toBe(4 * (64 * 512 + 5 * 512 + 5 + 64 * 5));
    expect(rows.at(-1)!.bytes).toBe(4 * 4 * compiled.parameterCount);
  });

  test("says what a first block in one instruction saves and costs, by the rule that decides it", () => {
    const options = { backend, batch: 64, optimizer: adam(), threads: 1 };
    const summed = (
      widths: readonly number[],
      channels: number,
      engine = backend,
      precision: Precision = "fp32",
    ) =>
      compileNetwork({
        ...{ ...options, backend: engine, precision },
        network: vanilla({ classes: 5, channels, size: 32, widths }),
      });
    const { firstBlocks, programs } = summed([32], 3);
    // x has 64 x 32 x 32 x 32 values of 4 bytes, read or written six times; a place makes 3 x 3 products for each of 3 + 2 x 5 lags,
    // and 3 x 3 sums.
    const savedBytes = 6 * 4 * 64 * 32 ** 3;
    const addedMs = (64 * 32 * 32 * (9 * 13 + 9)) / 60e6;
    expect(firstBlocks).toEqual([
      {
        layer: "features.0",
        savedBytes,
        savedMs: expect.closeTo(savedBytes / 20e6, 9),
        addedMs: expect.closeTo(addedMs, 9),
      },
    ]);
    expect(programs.train.instructions[0]!.kind).toBe("conv2dNormPoolTrain");
    expect(printSummary(summed([32], 3))).toContain(
      "first block           features.0 in one instruction: by rule, one saves 2.5 ms (48.0 MiB neither written nor read) and adds 0.1 ms of arithmetic",
    );
    const unable = { ...backend, capabilities: { ...backend.capabilities, firstBlock: false } };
    expect(summed([32], 3, unable).firstBlocks).toEqual([]);
    // Of seven channels the moments cost more than few outputs of two bytes save.
    expect(summed([16], 7).programs.train.instructions[0]!.kind).toBe("conv2dNormPoolTrain");
    const dear = summed([16], 7, backend, "bf16");
    const kinds = dear.programs.train.instructions.map(({ kind }) => kind);
    expect(kinds).toContain("conv2d");
    expect(kinds).not.toContain("conv2dNormPoolTrain");
    expect(printSummary(dear)).toContain("features.0 in instructions of its own: by rule");
  });

  test("sums up: the arena stands beside its lower bound", () => {
    const text = printSummary(compiled);
    expect(text).toMatch(/arena +\d+\.\d MiB, \d+\.\d% above the lower bound \d+\.\d MiB/);
    expect(text).toMatch(/parameters +4438917, and 8877834 values of optimizer state/);
    expect(text).toContain("network               vanilla, input [3, 128, 128], 5 classes");
  });
});
