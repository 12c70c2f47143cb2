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
} from "../../optimizers/index.ts";
import type { ElementwisePhase, OptimizerProgram } from "../../program/index.ts";
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
    scratch: () => 99,
    ...(clip !== undefined && { clip }),
  });

const phases = (program: OptimizerProgram) =>
  program.phases.filter((phase): phase is ElementwisePhase => phase.kind === "elementwise");
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

test.each([...optimizerNames, "lookahead-adam", "sam-sgd"])(
  "%s: every register and slot is written before it is read",
  (name) => {
    const { program, scalarNames } = encode(createOptimizer(name), 1);
    const slots = new Set(
      Array.from({ length: 2 + scalarNames.length }, (_, i) => i).concat(
        program.segmentSlots,
        program.scalarStates?.map(({ load }) => load) ?? [],
      ),
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
    for (const { store } of program.scalarStates ?? []) expect(slots).toContain(store);
    expect(reads).toBeGreaterThan(3);
    expect(Math.max(...slots)).toBeLessThan(program.slots);
  },
);

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

describe("rules of matrices", () => {
  const segment = (name: string, isWeight: boolean) => ({
    name,
    parameter: 0,
    gradient: 1,
    elements: 6,
    rows: 2,
    columns: 3,
    isWeight,
  });
  const encodeTwo = (optimizer: Optimizer, clip?: number) =>
    encodeOptimizer(optimizer, {
      segments: [segment("weight", true), segment("bias", false)].map((of) => ({
        ...of,
        state: optimizer.state.map(() => 2),
      })),
      firstSlot: 2,
      scratch: () => 99,
      ...(clip !== undefined && { clip }),
    }).program;

  test("Adafactor: means of rows and columns, their state, and the two spread over the matrix", () => {
    const { phases: all, segments } = encodeTwo(createOptimizer("adafactor"));
    const ofWeight = all.filter((phase) => phase.segments?.includes(0));
    expect(
      ofWeight.map((phase) =>
        phase.kind === "matrix" ? phase.operation : (phase.domain ?? "parameter"),
      ),
    ).toEqual([
      "parameter",
      "rowMean",
      "columnMean",
      "row",
      "column",
      "spreadColumns",
      "row",
      "spreadRows",
      "parameter",
      "parameter",
      "row",
      "column",
    ]);
    const ofBias = all.filter((phase) => phase.segments?.includes(1));
    expect(ofBias.every(({ kind }) => kind === "elementwise")).toBe(true);
    expect(segments[0]!.scratch).toEqual(Array(7).fill(99));
    expect(segments[1]!.scratch).toEqual(Array(7).fill(-1));
  });

  test("Muon's iteration overwrites its own scratch: one tensor of the parameter's size", () => {
    const { phases: all, segments } = encodeTwo(createOptimizer("muon"));
    const matrix = all.find((phase) => phase.kind === "matrix")!;
    expect(matrix).toMatchObject({ operation: "newtonSchulz", segments: [0] });
    expect(matrix.kind === "matrix" && matrix.source === matrix.target).toBe(true);
    expect(segments.map(({ scratch }) => scratch)).toEqual([[99], [-1]]);
  });

  test("clipping takes the norm of all tensors before either rule", () => {
    const [norm, ...others] = encodeTwo(createOptimizer("muon"), 1).phases;
    expect(norm).toMatchObject({ reductions: [{ op: "sum", scope: "all" }] });
    expect(norm!.segments).toBeUndefined();
    expect(others.every(({ segments }) => segments !== undefined)).toBe(true);
  });
});

describe("refuses, by name", () => {
  const base = { hyperparameters: { learningRate: 1, power: 2 }, state: () => ({}) };
  test.each([
    [
      defineOptimizer({
        ...base,
        name: "powers",
        update: ({ parameter, gradient }, { power }) => ({
          parameter: parameter.mul(gradient.sum("all").pow(power)),
        }),
      }),
      'optimizer "powers": a power or remainder of what depends on the tensor',
    ],
    [
      defineOptimizer({
        ...base,
        name: "twice",
        update: ({ parameter, gradient }) => ({
          parameter: parameter.sub(gradient.matrix("rowMean").matrix("rowMean")),
        }),
      }),
      'optimizer "twice": rowMean takes a value for each element, not for each row',
    ],
    [
      defineOptimizer({
        ...base,
        name: "narrow",
        state: () => ({ r: zerosLike("row") }),
        update: ({ parameter, gradient }) => ({
          parameter,
          r: gradient.matrix("columnMean"),
        }),
      }),
      'optimizer "narrow": a value for each column cannot become one for each row',
    ],
  ])("%#", (factory, message) => {
    expect(() => encode(factory())).toThrow(message);
  });

  test("a clip of zero", () => {
    expect(() => encode(sgd(), 0)).toThrow("sgd: clip must be a positive number; got 0");
  });
});
