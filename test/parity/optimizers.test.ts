/**
 * @file Every optimizer against PyTorch in float64 (optimizers.py wrote the fixture), and the
 * native interpreter against the reference one, bit for bit.
 */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { elementCount } from "../../src/core/shapes.ts";
import { referenceBackend } from "../../src/engine/reference/index.ts";
import {
  adafactor,
  adam,
  clipByValue,
  createOptimizer,
  lamb,
  lars,
  muon,
  type Optimizer,
  optimizerNames,
  prodigy,
  sam,
  sgd,
  wrapperNames,
} from "../../src/optimizers/index.ts";
import type { Backend, BufferSpec, Session } from "../../src/program/index.ts";
import { inTurn } from "../compile/in-turn.ts";
import { dyadics } from "./dyadic.ts";
import { nativeOrReason } from "./native-or-reason.ts";
import { openOptimizerRun } from "./optimizer-program.ts";

interface Fixture {
  readonly elements: number;
  readonly updates: number;
  readonly cases: readonly {
    readonly name: string;
    readonly hyperparameters: Readonly<Record<string, number>>;
    readonly ramp: number;
    readonly after: Readonly<Record<string, readonly number[]>>;
  }[];
  readonly clipped: readonly { readonly clip: number; readonly after: readonly number[][] }[];
}

const fixture: Fixture = JSON.parse(
  readFileSync(new URL("fixtures/optimizers.json", import.meta.url), "utf8"),
);

const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i]!)));

describe("float64 reference against PyTorch", () => {
  test.each(
    fixture.cases.map((c) => ({
      ...c,
      title: `${c.name} ${JSON.stringify(c.hyperparameters)}${c.ramp ? ", rising rate" : ""}`,
    })),
  )("$title", async ({ name, hyperparameters, ramp, after }) => {
    const optimizer = createOptimizer(name, hyperparameters);
    const run = await openOptimizerRun({
      optimizer,
      backend: referenceBackend({ precision: "f64" }),
      sizes: [fixture.elements],
    });
    const [parameter, gradient] = [run.parameters[0]!, run.gradients[0]!];
    await run.session.write(parameter, dyadics(fixture.elements, 0));
    const rate = hyperparameters.learningRate!;
    let compared = 0;
    for (let update = 0; update < fixture.updates; update++) {
      await run.session.write(gradient, dyadics(fixture.elements, 1 + update));
      await run.step(update, rate * (1 + ramp * update));
      const want = after[String(update + 1)];
      if (!want) continue;
      compared++;
      expect(largestDifference(run.session.readDouble(parameter), want)).toBeLessThan(1e-13);
    }
    expect(compared).toBe(3);
  });

  test.each(fixture.clipped)("clipping the global norm to $clip", async ({ clip, after }) => {
    const run = await openOptimizerRun({
      optimizer: sgd(),
      backend: referenceBackend({ precision: "f64" }),
      sizes: [fixture.elements, fixture.elements],
      clip,
    });
    for (const [i, parameter] of run.parameters.entries())
      await run.session.write(parameter, dyadics(fixture.elements, 100 * i));
    for (let update = 0; update < fixture.updates; update++) {
      for (const [i, gradient] of run.gradients.entries())
        await run.session.write(gradient, dyadics(fixture.elements, 100 * i + 1 + update));
      await run.step(update, 0.1);
    }
    for (const [i, parameter] of run.parameters.entries())
      expect(largestDifference(run.session.readDouble(parameter), after[i]!)).toBeLessThan(1e-13);
  });
});

describe("scales of a tensor", () => {
  test("the decay scale is the fraction of weight decay, the rate scale that of the rate", async () => {
    const run = await openOptimizerRun({
      optimizer: sgd({ weightDecay: 0.5 }),
      backend: referenceBackend({ precision: "f64" }),
      sizes: [1, 1, 1],
      scales: [{}, { weightDecayScale: 0 }, { learningRateScale: 0.25 }],
    });
    for (const buffer of run.parameters) await run.session.write(buffer, Float64Array.of(2));
    for (const buffer of run.gradients) await run.session.write(buffer, Float64Array.of(3));
    await run.step(0, 0.125);
    // p - lr (g + decay p): 2 - 0.125 (3 + 1), 2 - 0.125 * 3, 2 - 0.03125 (3 + 1)
    expect(run.parameters.map((buffer) => run.session.readDouble(buffer)[0])).toEqual([
      1.5, 1.625, 1.875,
    ]);
  });
});

describe("scheduled hyperparameters", () => {
  test("a beta that changes between updates gives what a run with it from there gives", async () => {
    const open = async (optimizer: Optimizer) => {
      const run = await openOptimizerRun({
        optimizer,
        backend: referenceBackend({ precision: "f64" }),
        sizes: [fixture.elements],
      });
      await run.session.write(run.parameters[0]!, dyadics(fixture.elements, 0));
      await run.session.write(run.gradients[0]!, dyadics(fixture.elements, 1));
      return run;
    };
    const scheduled = await open(adam());
    await scheduled.step(0, 0.01);
    await scheduled.step(1, 0.01, { beta1: 0.5 });

    const first = await open(adam());
    await first.step(0, 0.01);
    const second = await open(adam({ beta1: 0.5 }));
    for (const k of [0, 1])
      await second.session.write(
        second.states[0]![k]!,
        first.session.readDouble(first.states[0]![k]!),
      );
    await second.session.write(
      second.parameters[0]!,
      first.session.readDouble(first.parameters[0]!),
    );
    await second.step(1, 0.01);

    const after = scheduled.session.readDouble(scheduled.parameters[0]!);
    expect(after).toEqual(second.session.readDouble(second.parameters[0]!));
    await first.step(1, 0.01);
    expect(after).not.toEqual(first.session.readDouble(first.parameters[0]!));
  });
});

const readAll = (session: Session, buffers: readonly BufferSpec[]) =>
  inTurn(buffers, (buffer) => session.read(buffer));

const { native, reason } = nativeOrReason();

describe.skipIf(!native)(`native against float32 reference${reason}`, () => {
  // Sizes around the block (1,024 floats) and the vector (8 or 16), so that every tail is met.
  const sizes = [1, 7, 16, 1023, 1024, 1025, 5000];
  const sameBits = [
    ["sgd", { weightDecay: 0.01 }],
    ["sgd", { momentum: 0.9, nesterov: 1, weightDecay: 0.01 }],
    ["adagrad", { learningRateDecay: 0.1, initialAccumulator: 0.1 }],
    ["adadelta", { weightDecay: 0.01 }],
    ["rmsprop", { momentum: 0.9, centered: 1 }],
    ["adam", { weightDecay: 0.01 }],
    ["adamax", { weightDecay: 0.01 }],
    ["adam", { amsgrad: 1 }],
    ["adamw", { amsgrad: 1 }],
    ["nadam", { weightDecay: 0.01 }],
    ["nadam", { weightDecay: 0.01, decoupled: 1 }],
    ["radam", { weightDecay: 0.01 }],
    ["lion", { weightDecay: 0.01 }],
  ] as const;
  test.each(sameBits)("%s %o: the same bits", async (name, hyperparameters) => {
    const optimizer = createOptimizer(name, hyperparameters as Record<string, number>);
    const after = [];
    for (const backend of [referenceBackend(), native!()]) {
      const run = await openOptimizerRun({ optimizer, backend, sizes });
      for (const [i, buffer] of run.parameters.entries())
        await run.session.write(buffer, dyadics(sizes[i]!, i));
      for (let update = 0; update < 5; update++) {
        for (const [i, buffer] of run.gradients.entries())
          await run.session.write(buffer, dyadics(sizes[i]!, 100 * (1 + update) + i));
        await run.step(update, 0.01);
      }
      after.push(await readAll(run.session, [...run.parameters, ...run.states.flat()]));
      run.session.dispose();
    }
    expect(after[1]).toEqual(after[0]);
  });

  test("clipping by value: the same bits", async () => {
    const after = [];
    for (const backend of [referenceBackend(), native!()]) {
      const run = await openOptimizerRun({ optimizer: clipByValue(sgd(), 0.25), backend, sizes });
      for (const [i, buffer] of run.gradients.entries())
        await run.session.write(buffer, dyadics(sizes[i]!, i));
      await run.step(0, 1);
      after.push((await readAll(run.session, run.parameters)).flatMap((values) => [...values]));
      run.session.dispose();
    }
    expect(after[1]).toEqual(after[0]);
    expect(Math.max(...after[0]!)).toBe(0.25);
    expect(Math.min(...after[0]!)).toBe(-0.25);
  });

  const shapes = [7, [40, 27], [30, 70], [16, 8, 3, 3], 1025, [1, 1]];
  const counts = shapes.map((shape) => (typeof shape === "number" ? shape : elementCount(shape)));
  const train = async (optimizer: Optimizer, backend: Backend, clip?: number) => {
    const run = await openOptimizerRun({
      optimizer,
      backend,
      sizes: shapes,
      scales: shapes.map((shape) => ({ isWeight: typeof shape !== "number" })),
      ...(clip && { clip }),
    });
    await run.begin(counts.map((count, i) => dyadics(count, i)));
    for (let update = 0; update < 5; update++) {
      for (const [i, buffer] of run.gradients.entries())
        await run.session.write(buffer, dyadics(counts[i]!, 100 * (1 + update) + i));
      if (optimizer.gradientEvaluations === 2) await run.perturb(update);
      await run.step(update, 0.01);
    }
    const after = await readAll(run.session, [...run.parameters, ...run.states.flat()]);
    run.session.dispose();
    return after;
  };

  const elementwise = [
    ["schedule-free-sgd", { weightDecay: 0.01 }],
    ["schedule-free-adamw", { weightDecay: 0.01, weightPower: 0.5 }],
    ["lookahead-adam", { lookaheadK: 2 }],
    ["lookahead-muon", { adamRateScale: 1, momentum: 0 }],
  ] as const;
  test.each(elementwise)(
    "%s %o: the same bits in what is elementwise",
    async (name, hyperparameters) => {
      const optimizer = createOptimizer(name, hyperparameters as Record<string, number>);
      const [expected, actual] = [
        await train(optimizer, referenceBackend()),
        await train(optimizer, native!()),
      ];
      for (const [i, shape] of shapes.entries())
        if (!name.endsWith("muon") || typeof shape === "number")
          expect(actual[i], `tensor ${i}`).toEqual(expected[i]);
    },
  );

  // Sums of many floats are of doubles in an order that the backends choose for themselves, and
  // products of matrices sum in float32.
  const withSums = [
    ["adam, clipped by norm", adam(), 0.5, 1e-7],
    ["lars", lars({ trustCoefficient: 0.1 }), undefined, 1e-7],
    ["lamb", lamb(), undefined, 1e-7],
    ["prodigy", prodigy({ initialD: 0.01, weightDecay: 0.1 }), undefined, 1e-6],
    ["adafactor", adafactor({ weightDecay: 0.1 }), undefined, 1e-6],
    ["adafactor, clipped by norm", adafactor(), 0.5, 1e-6],
    ["muon", muon({ weightDecay: 0.1 }), undefined, 1e-5],
    ["muon, clipped by norm", muon({ nesterov: 0 }), 0.5, 1e-5],
    ["sam", sam(sgd({ momentum: 0.9 })), undefined, 1e-7],
  ] as const;
  test.each(withSums)(
    "%s: the same to the rounding of sums",
    async (_, optimizer, clip, tolerance) => {
      const [expected, actual] = [
        await train(optimizer, referenceBackend(), clip),
        await train(optimizer, native!(), clip),
      ];
      for (const [i, values] of expected.entries()) {
        const size = Math.max(1, ...values.map(Math.abs));
        expect(largestDifference(values, actual[i]!) / size, `buffer ${i}`).toBeLessThan(tolerance);
      }
      expect(expected.flatMap((values) => [...values]).some((value) => value !== 0)).toBe(true);
    },
  );

  test("every optimizer and wrapper is compared", () => {
    const compared = [
      ...[...sameBits, ...elementwise].map(([name]) => name),
      ...withSums.map(([, optimizer]) => optimizer.name),
    ];
    const known = [...optimizerNames, ...wrapperNames];
    expect(known.filter((name) => !compared.some((of) => `${of}-`.startsWith(`${name}-`)))).toEqual(
      [],
    );
  });
});
