/**
 * @file Updates that are more than a loop over elements, on a whole network: matrices in the layouts
 * that convolutions like, two gradients, evaluation with other weights than those trained.
 */

import { describe, expect, test } from "vitest";
import { type CompiledNetwork, compileNetwork } from "../../src/compile/index.ts";
import { referenceBackend } from "../../src/engine/reference/index.ts";
import { vanilla } from "../../src/models/index.ts";
import { createOptimizer, type Optimizer, sgd } from "../../src/optimizers/index.ts";
import type { Backend, Session } from "../../src/program/index.ts";
import { dyadic } from "../parity/dyadic.ts";
import { nativeOrReason } from "../parity/native-or-reason.ts";
import { inTurn } from "./in-turn.ts";

const { native, reason } = nativeOrReason();
const network = vanilla({ classes: 3, channels: 3, size: 16, widths: [5, 12, 20], hidden: 9 });
const f64 = referenceBackend({ precision: "f64" });

async function open<S extends Session>(
  optimizer: Optimizer,
  backend: Backend & { openSession(...args: never): Promise<S> },
  average = false,
) {
  const compiled = compileNetwork({
    network,
    backend,
    batch: 8,
    optimizer,
    average,
    slots: 1,
    threads: 2,
  });
  const session = (await (backend as Backend).openSession(compiled.sessionOptions)) as S;
  await compiled.initialize(session, 1);
  session.labels(0).set([0, 1, 2, 0, 1, 2, 0, 1]);
  for (const [i] of session.images(0).entries()) session.images(0)[i] = dyadic(i, 7);
  return { compiled, session };
}

const scalars = (
  compiled: CompiledNetwork,
  update: number,
  learningRate: number,
  hyperparameters = {},
) => compiled.scalars({ seed: 3, update, learningRate, hyperparameters });

/** By name, of one role. */
const read = async ({ tensors }: CompiledNetwork, session: Session, role = "parameter") =>
  new Map(
    await inTurn(
      tensors.filter((t) => t.role === role),
      async (t) => [t.name, await session.read(t.buffer)] as const,
    ),
  );

/** Greatest difference, relative to the largest value of the tensor. */
function difference(a: ReadonlyMap<string, Float32Array>, b: ReadonlyMap<string, Float32Array>) {
  let worst = 0;
  for (const [name, values] of a) {
    const size = Math.max(...values.map(Math.abs), 1e-3);
    for (const [i, value] of values.entries())
      worst = Math.max(worst, Math.abs(value - b.get(name)![i]!) / size);
  }
  return worst;
}

describe.skipIf(!native)(`native against reference${reason}`, () => {
  test.each([
    ["muon", 0.02],
    ["adafactor", 0.01],
    ["sam-sgd", 0.1],
    ["prodigy", 1],
    ["schedule-free-sgd", 0.1],
    ["lookahead-muon", 0.02],
  ])("%s: parameters after three steps", async (name, rate) => {
    const after = [];
    for (const backend of [referenceBackend(), native!()]) {
      const { compiled, session } = await open(createOptimizer(name), backend);
      const train = await session.load(compiled.programs.train);
      for (let update = 0; update < 3; update++)
        await train.run({ slot: 0, scalars: scalars(compiled, update, rate) });
      // A convolution's bias before batch norm has no gradient but rounding, which such rules enlarge.
      const rank = (of: string) => compiled.tensors.find((t) => t.name === of)!.buffer.shape.length;
      const stable = [...(await read(compiled, session))].filter(
        ([of]) => !of.endsWith(".bias") || rank(of.replace(/bias$/, "weight")) !== 4,
      );
      after.push(new Map(stable));
      session.dispose();
    }
    expect(difference(after[0]!, after[1]!)).toBeLessThan(2e-3);
    const { compiled, session } = await open(createOptimizer(name), referenceBackend());
    expect(difference(after[0]!, await read(compiled, session))).toBeGreaterThan(1e-6);
  });
});

test("SAM: the second gradient is that at p + rho g / |g|, of the same batch and dropout masks", async () => {
  const [rho, rate] = [0.05, 0.25];
  const { compiled, session } = await open(createOptimizer("sam-sgd", { samRho: rho }), f64);
  const started = await read(compiled, session);
  const reported = await (await session.load(compiled.programs.train)).run({
    slot: 0,
    scalars: scalars(compiled, 5, rate),
  });

  // The same by hand: a step of SGD at rate 1 takes the gradient off the parameters.
  const plain = await open(sgd(), f64);
  const step = await plain.session.load(plain.compiled.programs.train);
  const gradientAt = async (weights: ReadonlyMap<string, Float64Array | Float32Array>) => {
    for (const { name, role, buffer } of plain.compiled.tensors)
      if (role === "parameter") await plain.session.write(buffer, weights.get(name)!);
    const outputs = await step.run({ slot: 0, scalars: scalars(plain.compiled, 5, 1) });
    const gradients = new Map<string, Float64Array>();
    for (const { name, role, buffer } of plain.compiled.tensors)
      if (role === "parameter") {
        const moved = plain.session.readDouble(buffer);
        gradients.set(
          name,
          moved.map((value, i) => weights.get(name)![i]! - value),
        );
      }
    return { gradients, loss: outputs.loss![0]! };
  };
  const first = await gradientAt(started);
  const statistics = await read(plain.compiled, plain.session, "statistic");
  const norm = Math.sqrt(
    [...first.gradients.values()].flatMap((g) => [...g]).reduce((sum, g) => sum + g * g, 0),
  );
  const perturbed = new Map(
    [...started].map(([name, values]) => [
      name,
      Float64Array.from(values, (p, i) => p + (rho * first.gradients.get(name)![i]!) / norm),
    ]),
  );
  const second = await gradientAt(perturbed);

  for (const { name, role, buffer } of compiled.tensors) {
    if (role !== "parameter") continue;
    const got = session.readDouble(buffer);
    for (const [i, p] of started.get(name)!.entries())
      expect(got[i]!).toBeCloseTo(p - rate * second.gradients.get(name)![i]!, 9);
  }
  expect(difference(first.gradients as never, second.gradients as never)).toBeGreaterThan(1e-3);
  // Loss and running statistics are those of the first.
  expect(reported.loss![0]).toBeCloseTo(first.loss, 12);
  expect(second.loss).not.toBeCloseTo(first.loss, 4);
  expect(await read(compiled, session, "statistic")).toEqual(statistics);
});

test("Muon from several micro-batches: the sum of their gradients, for matrices and for the rest", async () => {
  const after = [];
  for (const accumulate of [false, true]) {
    const options = { network, backend: f64, batch: 8, optimizer: createOptimizer("muon") };
    const compiled = compileNetwork({ ...options, accumulate, slots: 1, threads: 1 });
    const session = await f64.openSession(compiled.sessionOptions);
    await compiled.initialize(session, 1);
    session.labels(0).set([0, 1, 2, 0, 1, 2, 0, 1]);
    for (const [i] of session.images(0).entries()) session.images(0)[i] = dyadic(i, 7);
    const { gather, train } = compiled.programs;
    const values = { seed: 3, update: 0, learningRate: 0.02 };
    // The same batch twice, at half its share each, with one draw of dropout.
    const half = (gathers: boolean) => ({ share: 0.5, draw: 0, gathers });
    if (gather)
      await (await session.load(gather)).run({
        slot: 0,
        scalars: compiled.scalars({ ...values, microBatch: half(true) }),
      });
    const last = gather ? { ...values, microBatch: half(false) } : values;
    await (await session.load(train)).run({ slot: 0, scalars: compiled.scalars(last) });
    after.push(await read(compiled, session));
  }
  expect(difference(after[0]!, after[1]!)).toBeLessThan(1e-6);
});

test("state that begins as a copy of the parameter does, whatever the seed", async () => {
  const { compiled, session } = await open(createOptimizer("schedule-free-adamw"), f64);
  const parameters = await read(compiled, session);
  const state = await read(compiled, session, "state");
  expect(parameters.size).toBeGreaterThan(8);
  for (const [name, values] of parameters)
    for (const copy of ["x", "z"]) expect(state.get(`${name}:${copy}`)).toEqual(values);
  expect(state.get("optimizer:weightSum")).toEqual(Float32Array.of(0));
});

describe("evaluation with other weights", () => {
  const loss = async (
    session: Session,
    program: CompiledNetwork["programs"]["evaluate"],
    values: Float64Array,
  ) => (await (await session.load(program)).run({ slot: 0, scalars: values })).loss![0]!;

  test("evaluate and predict read what the optimizer names; recalibration takes its statistics", async () => {
    const { compiled, session } = await open(createOptimizer("schedule-free-sgd"), f64);
    const train = await session.load(compiled.programs.train);
    for (let update = 0; update < 3; update++)
      await train.run({ slot: 0, scalars: scalars(compiled, update, 0.5) });
    const values = scalars(compiled, 3, 0);
    const before = await loss(session, compiled.programs.evaluate, values);
    await loss(session, compiled.programs.recalibrate!, values);
    const got = await loss(session, compiled.programs.evaluate, values);
    expect(Math.abs(got - before)).toBeGreaterThan(1e-4);

    // A network that has x as its parameters, and whose statistics are those of this batch.
    const plain = await open(sgd(), f64);
    for (const { name, role, buffer } of plain.compiled.tensors) {
      if (role !== "parameter") continue;
      const x = compiled.tensors.find((tensor) => tensor.name === `${name}:x`)!;
      await plain.session.write(buffer, session.readDouble(x.buffer));
    }
    const forward = await plain.session.load(plain.compiled.programs.train);
    // Momentum 0.1 leaves 0.9 ^ 400 of what the statistics began with.
    const still = scalars(plain.compiled, 3, 0);
    for (let i = 0; i < 400; i++) await forward.run({ slot: 0, scalars: still });
    expect(got).toBeCloseTo(await loss(plain.session, plain.compiled.programs.evaluate, still), 9);
  });

  test("an average of chosen moments is their mean, and has an evaluation of its own", async () => {
    const { compiled, session } = await open(sgd(), f64, true);
    const train = await session.load(compiled.programs.train);
    const seen = [];
    for (let update = 0; update < 4; update++) {
      // The second and fourth.
      const averageWeight = [0, 1, 0, 0.5][update]!;
      const values = scalars(compiled, update, 0.5, { averageWeight });
      await train.run({ slot: 0, scalars: values });
      seen.push((await read(compiled, session)).get("features.0.weight")!);
    }
    const average = (await read(compiled, session, "state")).get("features.0.weight:average")!;
    for (const [i, value] of average.entries())
      expect(value).toBeCloseTo((seen[1]![i]! + seen[3]![i]!) / 2, 6);
    expect(average).not.toEqual(seen[3]);
    const values = scalars(compiled, 4, 0);
    await loss(session, compiled.programs.recalibrateAverage!, values);
    expect(await loss(session, compiled.programs.evaluateAverage!, values)).not.toBe(
      await loss(session, compiled.programs.evaluate, values),
    );
  });
});
