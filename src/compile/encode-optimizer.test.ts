import { describe, expect, test } from "vitest";
import {
  adam,
  biasCorrection,
  createOptimizer,
  defineOptimizer,
  type Optimizer,
  optimizerNames,
  sgd,
  zerosLike,
} from "../optimizers/index.ts";
import type { ElementwisePhase, OptimizerProgram } from "../program/index.ts";
import { encodeOptimizer } from "./encode-optimizer.ts";

const encode = (optimizer: Optimizer, clip?: number) =>
  encodeOptimizer(optimizer, {
    segments: [
      {
        name: "w",
        parameter: 0,
        gradient: 1,
        state: optimizer.state.map((_, k) => 2 + k),
        elements: 8,
      },
    ],
    firstSlot: 2,
    ...(clip !== undefined && { clip }),
  });

const phases = (program: OptimizerProgram) => program.phases as readonly ElementwisePhase[];
const count = (program: OptimizerProgram, op: string) =>
  phases(program).flatMap(({ code }) => code.filter((instruction) => instruction.op === op)).length;

test("equal subexpressions are computed once, and each source is loaded once", () => {
  const twice = defineOptimizer({
    name: "twice",
    hyperparameters: { learningRate: 1 },
    state: () => ({ a: zerosLike("parameter") }),
    update({ parameter, gradient, state, lr }) {
      const once = gradient.square().add(state.a!);
      const again = gradient.square().add(state.a!);
      return { a: once, parameter: parameter.sub(again.mul(lr)) };
    },
  });
  const { program } = encode(twice());
  expect(count(program, "square")).toBe(1);
  expect(count(program, "load")).toBe(3);
  expect(count(program, "store")).toBe(2);
});

test("scalars known before the step are inputs of the run; SGD has no state without momentum", () => {
  const { program, scalarNames } = encode(sgd());
  expect(scalarNames).toEqual(["weightDecay", "learningRate"]);
  expect(program.segmentSlots).toEqual([4, 5, 6]);
  expect(program.segments[0]).toMatchObject({ state: [], scalars: [1, 1, 1] });
  expect(sgd({ momentum: 0.9 }).state).toEqual([
    { name: "momentum", shape: "parameter", initial: 0 },
  ]);
});

test.each(optimizerNames)("%s: every register and slot is written before it is read", (name) => {
  const { program, scalarNames } = encode(createOptimizer(name), 1);
  const slots = new Set(
    Array.from({ length: 2 + scalarNames.length }, (_, i) => i).concat(program.segmentSlots),
  );
  let reads = 0;
  for (const { code, reductions, scalarCode } of phases(program)) {
    const registers = new Set<number>();
    for (const { op, target, a, b } of code) {
      for (const operand of op === "load" ? [] : [a, b]) {
        if (!operand) continue;
        reads++;
        if ("slot" in operand) expect(slots).toContain(operand.slot);
        else expect(registers).toContain(operand.register);
      }
      if (op !== "store") registers.add(target);
      if (op !== "store") expect(target).toBeLessThan(program.registers);
    }
    for (const { register, target } of reductions) {
      expect(registers).toContain(register);
      slots.add(target);
    }
    for (const { op, target, a, b } of scalarCode) {
      const used = op === "constant" ? [] : op === "sqrt" || op === "abs" ? [a] : [a, b];
      for (const slot of used) expect(slots).toContain(slot);
      slots.add(target);
    }
  }
  expect(reads).toBeGreaterThan(4);
  expect(Math.max(...slots)).toBeLessThan(program.slots);
});

test("Adam fits four registers: its blocks stay in L1 cache", () => {
  expect(encode(adam()).program.registers).toBe(4);
});

test("a state is not overwritten while its old value is still to be loaded", () => {
  const swap = defineOptimizer({
    name: "swap",
    hyperparameters: { learningRate: 1 },
    state: () => ({ a: zerosLike("parameter"), b: zerosLike("parameter") }),
    update: ({ parameter, state, lr }) => ({
      a: state.b!,
      b: state.a!,
      parameter: parameter.mul(lr),
    }),
  });
  const code = phases(encode(swap()).program).flatMap((phase) => phase.code);
  const at = (op: string, source: number) =>
    code.findIndex(
      (i) =>
        i.op === op && (op === "load" ? "register" in i.a && i.a.register : i.target) === source,
    );
  for (const source of [2, 3]) {
    expect(at("load", source)).toBeGreaterThanOrEqual(0);
    expect(at("store", source)).toBeGreaterThan(at("load", source));
  }
});

describe("phases", () => {
  test("a reduction ends a phase; what depends on it is in the next", () => {
    const { program } = encode(sgd(), 2);
    const [norm, update] = phases(program);
    expect(norm!.reductions).toMatchObject([{ op: "sum", scope: "all" }]);
    expect(norm!.code.map(({ op }) => op)).toEqual(["load", "square"]);
    expect(update!.code.some(({ op }) => op === "store")).toBe(true);
    expect(norm!.code.some(({ op }) => op === "store")).toBe(false);
  });

  test("two reductions in a row make three phases; sources are written in the last alone", () => {
    const layerwise = defineOptimizer({
      name: "layerwise",
      hyperparameters: { learningRate: 1, beta: 0.5 },
      state: () => ({ m: zerosLike("parameter") }),
      update({ parameter, gradient, state, lr, t }, { beta }) {
        const norm = gradient.square().sum("all").sqrt().positiveOr(1);
        const m = state.m!.mul(beta).add(gradient.div(norm));
        const ratio = parameter.square().sum("tensor").div(m.square().sum("tensor").positiveOr(1));
        return { m, parameter: parameter.sub(m.mul(ratio.mul(lr.div(biasCorrection(beta, t))))) };
      },
    });
    const { program } = encode(layerwise());
    expect(program.phases).toHaveLength(3);
    const stores = phases(program).map(
      ({ code }) => code.filter(({ op }) => op === "store").length,
    );
    expect(stores).toEqual([0, 0, 2]);
    expect(phases(program).map(({ reductions }) => reductions.length)).toEqual([2, 1, 0]);
  });
});

describe("refuses what cannot run yet, by name", () => {
  const base = {
    hyperparameters: { learningRate: 1 },
    state: () => ({}),
    update: ({ parameter }: Parameters<Parameters<typeof defineOptimizer>[0]["update"]>[0]) => ({
      parameter,
    }),
  };
  test.each([
    [
      defineOptimizer({ ...base, name: "rows", state: () => ({ r: zerosLike("row") }) }),
      'optimizer "rows": its state "r" has shape "row", which lrscope cannot run yet',
    ],
    [
      defineOptimizer({
        ...base,
        name: "ortho",
        update: ({ parameter, gradient }) => ({
          parameter: parameter.sub(gradient.matrix("newtonSchulz")),
        }),
      }),
      'optimizer "ortho": it needs the matrix operation newtonSchulz, which lrscope cannot run yet',
    ],
    [
      defineOptimizer({
        ...base,
        name: "average",
        state: () => ({ x: zerosLike("parameter") }),
        evaluationWeights: "x",
      }),
      'optimizer "average": it evaluates with its state "x"',
    ],
    [
      defineOptimizer({ ...base, name: "sharp", gradientEvaluations: 2 }),
      'optimizer "sharp": it needs 2 gradients an update',
    ],
  ])("%#", (factory, message) => {
    expect(() => encode(factory())).toThrow(message);
  });

  test("a clip of zero", () => {
    expect(() => encode(sgd(), 0)).toThrow("sgd: clip must be a positive number; got 0");
  });
});
