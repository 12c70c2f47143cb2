/**
 * @file The block interpreter of optimizer expressions: the same bits as the reference backend in
 * float32, whatever the size of a segment; reductions over tensors and over all; refusals.
 */

import { describe, expect, test } from "vitest";
import { randomStream } from "../../src/core/random.ts";
import { nativeBackend } from "../../src/engine/native/index.ts";
import { referenceBackend } from "../../src/engine/reference/index.ts";
import type {
  BufferSpec,
  ElementwisePhase,
  OptimizerProgram,
  VectorInstruction,
  VectorOp,
} from "../../src/program/index.ts";
import { type Case, prepareCase, runCase, uniformValues } from "./harness.ts";

const reference = referenceBackend({ precision: "f32" });
const register = (index: number) => ({ register: index });
const slot = (index: number) => ({ slot: index });
const load = (target: number, source: number): VectorInstruction => ({
  op: "load",
  target,
  a: register(source),
});
const store = (source: number, from: number): VectorInstruction => ({
  op: "store",
  target: source,
  a: register(from),
});
const phase = (given: Partial<ElementwisePhase>): ElementwisePhase => ({
  kind: "elementwise",
  code: [],
  reductions: [],
  scalarCode: [],
  ...given,
});

/** Sizes about the block of 1,024 and the slices and vectors inside it. */
const SIZES = [1, 7, 511, 1023, 1024, 1025, 5000];

function caseOf(
  program: Omit<OptimizerProgram, "name" | "segments">,
  scalars: number[],
  segmentScalars: (i: number) => number[] = () => [],
  sizes: readonly number[] = SIZES,
): Case {
  const tensors = Object.fromEntries(
    sizes.flatMap((size, i) =>
      ["p", "g", "m"].map((name, j) => [
        `${name}${i}`,
        { shape: [size], values: uniformValues([size], 10 * i + j) },
      ]),
    ),
  );
  return {
    tensors,
    steps: [],
    scalars,
    optimizer: (buffer: (name: string) => BufferSpec) => ({
      name: "test",
      ...program,
      segments: sizes.map((size, i) => ({
        name: `p${i}`,
        parameter: buffer(`p${i}`).id,
        gradient: buffer(`g${i}`).id,
        state: [buffer(`m${i}`).id],
        elements: size,
        scalars: segmentScalars(i),
      })),
    }),
  };
}

async function expectSameBits(given: Case) {
  const expected = await runCase(reference, given);
  for (const threads of [1, 2, 3]) {
    const actual = await runCase(nativeBackend({ threads }), given, threads);
    expect(actual).toEqual(expected);
  }
}

describe("vector operations", () => {
  const binary: VectorOp[] = ["add", "sub", "mul", "div", "max", "min"];
  const unary: VectorOp[] = ["sqrt", "abs", "sign", "square", "negate"];
  const operands = [
    [register(0), register(1)],
    [register(0), slot(2)],
    [slot(2), register(1)],
    [slot(2), slot(3)],
  ] as const;

  test.each(binary)("%s of registers and slots", async (op) => {
    for (const [a, b] of operands)
      await expectSameBits(
        caseOf(
          {
            registers: 3,
            slots: 4,
            segmentSlots: [],
            phases: [
              phase({
                code: [load(0, 0), load(1, 1), { op, target: 2, a, b }, store(0, 2), store(2, 0)],
              }),
            ],
          },
          [0, 0, 1 / 3, 0.7],
        ),
      );
  });

  test.each(unary)("%s", async (op) => {
    await expectSameBits(
      caseOf(
        {
          registers: 2,
          slots: 3,
          segmentSlots: [],
          phases: [
            phase({
              code: [
                load(0, 1),
                { op, target: 1, a: register(0) },
                store(0, 1),
                { op: "fill", target: 1, a: slot(2) },
                store(2, 1),
              ],
            }),
          ],
        },
        [0, 0, 0.1],
      ),
    );
  });

  test("an operand stored before is read as it was loaded", async () => {
    await expectSameBits(
      caseOf(
        {
          registers: 2,
          slots: 2,
          segmentSlots: [],
          phases: [
            phase({
              code: [
                load(0, 0),
                load(1, 1),
                store(0, 1),
                { op: "add", target: 1, a: register(0), b: register(1) },
                store(1, 1),
              ],
            }),
          ],
        },
        [0, 0],
      ),
    );
  });
});

/**
 * Random code with loads, stores and copies anywhere: what is folded away must not change what is
 * read. Every register is written before it is read; divisions are left out, so that values stay
 * finite.
 */
function randomCode(seed: number): VectorInstruction[] {
  const stream = randomStream(seed, "synthetic");
  const below = (n: number) => Math.floor(stream.uniform() * n);
  const code = [load(0, 0), load(1, 1), load(2, 2)];
  const ops: VectorOp[] = ["add", "add", "sub", "mul", "mul", "max", "negate", "fill"];
  for (let i = 0; i < 18; i++) {
    const choice = below(4);
    const operand = () => (below(4) === 0 ? slot(2 + below(2)) : register(below(3)));
    if (choice === 0) code.push(load(below(3), below(3)));
    else if (choice === 1) code.push(store(below(3), below(3)));
    else code.push({ op: ops[below(ops.length)]!, target: below(3), a: operand(), b: operand() });
  }
  return code;
}

describe("folded code", () => {
  test("random programs give the reference's bits", async () => {
    for (let seed = 0; seed < 40; seed++) {
      const code = randomCode(seed);
      const reductions = [0, 1, 2].map((register) => ({
        op: "max" as const,
        register,
        scope: "all" as const,
        target: 4 + register,
      }));
      const keep = phase({
        code: [0, 1, 2].flatMap((i): VectorInstruction[] => [
          load(0, i),
          { op: "add", target: 0, a: register(0), b: slot(4 + i) },
          store(i, 0),
        ]),
      });
      const program = {
        registers: 3,
        slots: 7,
        segmentSlots: [],
        phases: [phase({ code, reductions }), keep],
      };
      const given = caseOf(program, [0, 0, 1 / 3, -0.7], () => [], [1, 64, 75, 1025]);
      const expected = await runCase(reference, given);
      expect(await runCase(nativeBackend({ threads: 2 }), given, 2)).toEqual(expected);
    }
  });
});

test("a segment's own scalars of the run stand for the others", async () => {
  const add = { op: "add", target: 0, a: register(0), b: slot(2) } as const;
  const rule = (own: boolean): Case => {
    const given = caseOf(
      {
        registers: 1,
        slots: 6,
        segmentSlots: [],
        runSlots: { first: 2, count: 2 },
        phases: [
          phase({ code: [load(0, 0), add, store(0, 0), { ...add, b: slot(3) }, store(2, 0)] }),
        ],
      },
      [0, 0, 0.25, 3, 0.5, 7],
      () => [],
      [5, 3],
    );
    const optimizer: Case["optimizer"] = (buffer) => {
      const program = given.optimizer!(buffer);
      const [first, second] = program.segments;
      return { ...program, segments: [first!, { ...second!, ownSlots: 4 }] };
    };
    return own ? { ...given, optimizer } : given;
  };
  await expectSameBits(rule(true));
  expect(await runCase(reference, rule(true))).not.toEqual(await runCase(reference, rule(false)));
});

describe("reductions and scalars", () => {
  /** The update scaled by a limit over the norm, as clipping does; the norm's own part in slot 4. */
  const clipping = (scope: "tensor" | "all", op: "sum" | "max") =>
    caseOf(
      {
        registers: 3,
        slots: 6,
        segmentSlots: [3],
        phases: [
          phase({
            code: [load(0, 1), { op: "square", target: 1, a: register(0) }],
            reductions: [{ op, register: 1, scope, target: 4 }],
            scalarCode: [
              { op: "sqrt", target: 4, a: 4, b: 0 },
              { op: "positiveOr", target: 4, a: 4, b: 2 },
              { op: "constant", target: 5, a: 0, b: 0, value: 0.75 },
              { op: "div", target: 5, a: 5, b: 4 },
              { op: "mul", target: 5, a: 5, b: 3 },
            ],
          }),
          phase({
            code: [
              load(0, 0),
              load(1, 1),
              { op: "mul", target: 1, a: register(1), b: slot(5) },
              { op: "sub", target: 0, a: register(0), b: register(1) },
              store(0, 0),
            ],
          }),
        ],
      },
      [0, 0, 0.5],
      (i) => [1 + i],
    );

  test.each([
    ["tensor", "max"],
    ["all", "max"],
    ["tensor", "sum"],
    ["all", "sum"],
  ] as const)("over %s: %s", async (scope, op) => {
    await expectSameBits(clipping(scope, op));
  });
});

describe("refusals", () => {
  const loading = async (change: Partial<OptimizerProgram>) => {
    const given = caseOf(
      { registers: 1, slots: 2, segmentSlots: [], phases: [phase({ code: [load(0, 0)] })] },
      [0, 0],
    );
    const { program, session } = await prepareCase(nativeBackend({ threads: 2 }), given);
    const last = program.instructions[0]!;
    const changed = { ...last, optimizer: { ...last.optimizer!, ...change } };
    return async () => {
      try {
        await session.load({ ...program, instructions: [changed] });
      } finally {
        session.dispose();
      }
    };
  };
  const segment = { name: "p0", parameter: 0, gradient: 1, state: [2], elements: 1, scalars: [] };

  test.each([
    [
      "a matrix phase without a workspace",
      {
        phases: [
          {
            kind: "matrix",
            operation: "newtonSchulz",
            source: 0,
            target: 0,
            attributes: { coefficients: [1, 1, 1], steps: 1, epsilon: 1 },
          },
        ],
      },
      "needs a workspace of",
    ],
    [
      "a source that a segment does not have",
      { segments: [{ ...segment, state: [-1] }], phases: [phase({ code: [load(0, 2)] })] },
      '"p0" has no source 2',
    ],
    [
      "own scalars beyond the slots",
      { runSlots: { first: 0, count: 2 }, segments: [{ ...segment, ownSlots: 1 }] },
      "own slots do not match runSlots",
    ],
    [
      "a segment out of range",
      { phases: [phase({ segments: [99], code: [load(0, 0)] })] },
      "segment 99 is not below",
    ],
    [
      "a scalar state out of range",
      { scalarStates: [{ source: 9, load: 0, store: -1 }] },
      "source 9 is not below 3",
    ],
    [
      "a register out of range",
      { phases: [phase({ code: [load(1, 0)] })] },
      "register 1 is not below 1",
    ],
    [
      "a source out of range",
      { phases: [phase({ code: [load(0, 3)] })] },
      "source 3 is not below 3",
    ],
    [
      "a store out of range",
      { phases: [phase({ code: [store(9, 0)] })] },
      "source 9 is not below 3",
    ],
    [
      "a slot out of range",
      { phases: [phase({ code: [{ op: "fill", target: 0, a: slot(2) }] })] },
      "slot 2 is not below 2",
    ],
    [
      "more elements than a buffer has",
      { segments: [{ ...segment, elements: 1000 }] },
      'must hold the 1000 elements of "p0"',
    ],
  ] as const)("%s", async (_, change, message) => {
    const load = await loading(change as Partial<OptimizerProgram>);
    await expect(load()).rejects.toThrow(message);
  });
});
