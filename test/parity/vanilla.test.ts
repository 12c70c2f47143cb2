/**
 * @file Ten training steps of a narrow vanilla CNN against PyTorch (vanilla.py wrote the fixture),
 * for each optimizer: losses, running statistics, and the logits of an evaluation afterwards.
 */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { compileNetwork, type ParameterGroup, type Precision } from "../../src/compile/index.ts";
import { elementCount } from "../../src/core/shapes.ts";
import { nativeBackend } from "../../src/engine/native/index.ts";
import { referenceBackend } from "../../src/engine/reference/index.ts";
import { vanilla } from "../../src/models/index.ts";
import { createOptimizer } from "../../src/optimizers/index.ts";
import type { Backend, BufferSpec, Program, Session } from "../../src/program/index.ts";
import { inTurn } from "../compile/in-turn.ts";
import { dyadic, dyadics, mix } from "./dyadic.ts";
import { nativeOrReason } from "./native-or-reason.ts";

interface Run {
  readonly name: string;
  readonly hyperparameters: Readonly<Record<string, number>>;
  readonly losses: readonly number[];
  readonly statistics: Readonly<Record<string, readonly number[]>>;
  readonly logits: readonly number[];
  /** |loss in float32 - loss in float64| at step 10, both PyTorch's. */
  readonly float32Difference: number;
}

interface Fixture {
  readonly widths: readonly number[];
  readonly hidden: number;
  readonly classes: number;
  readonly size: number;
  readonly batch: number;
  readonly steps: number;
  readonly batchSalt: number;
  readonly parameters: readonly { name: string; offset: number; scale: number }[];
  /** Of the ten batches, with the parameters as they begin. */
  readonly untrainedLosses: readonly number[];
  readonly runs: readonly Run[];
  readonly defaultRates: readonly Pick<Run, "name" | "hyperparameters" | "losses">[];
  /** The default rates, for the convolutional part a tenth of them. */
  readonly scaledFeatures: Fixture["defaultRates"];
}

const fixture: Fixture = JSON.parse(
  readFileSync(new URL("fixtures/vanilla.json", import.meta.url), "utf8"),
);
const { batch, size, classes, steps } = fixture;

/** Images and labels of a step, as `batch` of vanilla.py makes them. */
function fillBatch(session: Session, step: number): void {
  const salt = fixture.batchSalt + step;
  const images = session.images(0);
  const labels = session.labels(0);
  const pixels = size * size;
  for (let i = 0; i < batch; i++) {
    const label = mix(i, salt) % classes;
    labels[i] = label;
    for (let p = 0; p < 3 * pixels; p++) {
      const tint = Math.floor(p / pixels) === label % 3 ? label / 4 : 0;
      images[i * 3 * pixels + p] = 2 * dyadic(i * 3 * pixels + p, salt) + tint;
    }
  }
}

/** The prediction program without its softmax: its output is the logits. */
function logitsProgram(predict: Program): Program {
  const softmax = predict.instructions.find(({ kind }) => kind === "softmax")!;
  const logits = softmax.inputs[0]!;
  return {
    ...predict,
    buffers: predict.buffers.map((buffer) =>
      buffer.id === logits ? { ...buffer, region: "outputs", offset: 0 } : buffer,
    ),
    instructions: predict.instructions.filter((instruction) => instruction !== softmax),
    outputs: { logits },
  };
}

/** The ten steps and the evaluation, on any backend. */
async function train<S extends Session>(
  backend: Omit<Backend, "openSession"> & {
    openSession: (...a: Parameters<Backend["openSession"]>) => Promise<S>;
  },
  { name, hyperparameters }: Pick<Run, "name" | "hyperparameters">,
  read: (session: S, buffer: BufferSpec) => ArrayLike<number> | Promise<ArrayLike<number>>,
  precision: Precision = "fp32",
  parameterGroups: readonly ParameterGroup[] = [],
) {
  const { widths, hidden, parameters } = fixture;
  const network = vanilla({ classes, channels: 3, size, widths, hidden, dropout: 0 });
  const optimizer = createOptimizer(name, hyperparameters);
  const compiled = compileNetwork({
    network,
    backend,
    batch,
    optimizer,
    slots: 1,
    threads: 2,
    precision,
    parameterGroups,
  });
  const session = await backend.openSession(compiled.sessionOptions);
  await compiled.initialize(session, 0);
  const trainable = compiled.tensors.filter(({ role }) => role === "parameter");
  expect(trainable.map((tensor) => tensor.name)).toEqual(parameters.map((p) => p.name));
  for (const [ordinal, { buffer }] of trainable.entries()) {
    const { offset, scale } = parameters[ordinal]!;
    const values = dyadics(elementCount(buffer.shape), ordinal).map((v) => offset + scale * v);
    await session.write(buffer, values);
  }

  const program = await session.load(compiled.programs.train);
  const losses: number[] = [];
  for (let update = 0; update < steps; update++) {
    fillBatch(session, update);
    const learningRate = hyperparameters.learningRate!;
    const scalars = compiled.scalars({ seed: 0, update, learningRate });
    losses.push((await program.run({ slot: 0, scalars })).loss![0]!);
  }
  fillBatch(session, steps);
  const scalars = compiled.scalars({ seed: 0, update: steps });
  const logits = (
    await (await session.load(logitsProgram(compiled.programs.predict))).run({ slot: 0, scalars })
  ).logits!;
  const statistics = Object.fromEntries(
    await inTurn(
      compiled.tensors.filter((tensor) => tensor.role === "statistic"),
      async (tensor) => [tensor.name, await read(session, tensor.buffer)] as const,
    ),
  );
  session.dispose();
  return { losses, logits, statistics };
}

const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  expect(a.length).toBe(b.length);
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i]!)));
};

describe("the fixture", () => {
  test.each(fixture.runs)("$name: PyTorch's float32 stays within 1e-4 of its float64", (run) => {
    expect(run.float32Difference).toBeLessThan(1e-4);
  });

  test.each(fixture.runs)("$name: training moves the loss ten times native's tolerance", (run) => {
    const untrained = fixture.untrainedLosses[steps - 1]!;
    expect(Math.abs(run.losses[steps - 1]! - untrained)).toBeGreaterThan(1e-2);
  });
});

describe("reference, float64", () => {
  const backend = referenceBackend({ precision: "f64" });
  test.each(fixture.runs)("$name", async (want) => {
    const got = await train(backend, want, (session, buffer) => session.readDouble(buffer));
    expect(largestDifference(got.losses, want.losses)).toBeLessThan(1e-9);
    expect(largestDifference(got.logits, want.logits)).toBeLessThan(1e-8);
    expect(Object.keys(got.statistics).sort()).toEqual(Object.keys(want.statistics).sort());
    for (const [name, values] of Object.entries(want.statistics))
      expect(largestDifference(got.statistics[name]!, values), name).toBeLessThan(1e-8);
  });

  test.each(fixture.defaultRates)("$name at its default rate", async (want) => {
    const got = await train(backend, want, (session, buffer) => session.readDouble(buffer));
    expect(largestDifference(got.losses, want.losses)).toBeLessThan(1e-9);
  });
});

const tenth = [{ prefix: "features", learningRateScale: 0.1 }];

describe("a rate of its own for one group", () => {
  test.each(fixture.scaledFeatures)("$name, reference in float64", async (want) => {
    const backend = referenceBackend({ precision: "f64" });
    const got = await train(backend, want, (session, b) => session.readDouble(b), "fp32", tenth);
    expect(largestDifference(got.losses, want.losses)).toBeLessThan(1e-9);
    const one = fixture.defaultRates.find(({ name }) => name === want.name)!;
    expect(largestDifference(one.losses, want.losses)).toBeGreaterThan(1e-3);
  });
});

const { native, reason } = nativeOrReason();

describe.skipIf(!native)(`native${reason}`, () => {
  test.each(fixture.runs)("$name", async (want) => {
    const got = await train(native!(), want, async (session, buffer) => await session.read(buffer));
    expect(largestDifference(got.losses, want.losses)).toBeLessThan(1e-3);
    expect(largestDifference(got.logits, want.logits)).toBeLessThan(1e-3);
    for (const [name, values] of Object.entries(want.statistics))
      expect(largestDifference(got.statistics[name]!, values), name).toBeLessThan(1e-3);
  });
});

/** Products of bf16 by those of f32 where the processor has none; the rest is the engine's code for bf16. */
const emulating = native && nativeBackend({ threads: 2, emulateBf16: true });

describe.skipIf(!emulating)(`native in bf16${reason}`, () => {
  // 8 bits of precision in place of 24, and large rates: what is rounded differently in one step makes
  // the next differ more.
  test.each(fixture.runs)("$name", async (want) => {
    const got = await train(
      emulating!,
      want,
      async (session, buffer) => await session.read(buffer),
      "bf16",
    );
    const differences = want.losses.map((loss, step) => Math.abs(got.losses[step]! - loss));
    expect(differences[0]).toBeLessThan(2e-3);
    expect(Math.max(...differences)).toBeLessThan(0.06);
    expect(differences.reduce((sum, value) => sum + value) / steps).toBeLessThan(0.02);
  });
});
