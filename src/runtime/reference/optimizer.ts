/**
 * @file Interprets an OptimizerProgram: the same vector instructions as the native block
 * interpreter, in blocks of the same size, each rounded to the precision when it is stored in a
 * register. In f32 a double operation rounded once equals the f32 one (53 >= 2 * 24 + 2), so
 * both interpreters give the same bits.
 */

import { ArgumentError, InternalError } from "../../core/errors.ts";
import type {
  ElementwisePhase,
  Operand,
  OptimizerProgram,
  OptimizerSegment,
  Reduction,
  ScalarInstruction,
} from "../../program/index.ts";
import { newReals, type Precision, type Reals } from "./memory.ts";

/** Elements of a block; a reduction is the sum of its blocks' sums, so the size is part of the result. */
const BLOCK = 1024;

/** The segment's memory by source index: 0 parameter, 1 gradient, 2 + k state k. */
export type SegmentMemory = (segment: OptimizerSegment) => readonly Reals[];

/** @throws ArgumentError where the program needs what this backend cannot run. */
export function checkOptimizer(program: OptimizerProgram): void {
  for (const phase of program.phases)
    if (phase.kind === "matrix")
      throw new ArgumentError(
        `optimizer "${program.name}": the reference backend runs no matrix phase (${phase.operation}); ` +
          "use an optimizer whose update is elementwise",
      );
}

export function runOptimizer(
  program: OptimizerProgram,
  scalars: Float64Array,
  memoryOf: SegmentMemory,
  precision: Precision,
): void {
  const registers = Array.from({ length: program.registers }, () => newReals(precision, BLOCK));
  const segments = program.segments.map((segment) => {
    const slots = new Float64Array(program.slots);
    slots.set(scalars);
    for (const [i, slot] of program.segmentSlots.entries()) slots[slot] = segment.scalars[i]!;
    return { memory: memoryOf(segment), elements: segment.elements, slots };
  });

  for (const phase of program.phases) {
    if (phase.kind === "matrix") continue; // refused by checkOptimizer when the program was loaded
    const partial = segments.map((segment) =>
      runSegment(phase, registers, segment.memory, segment.elements, segment.slots, precision),
    );
    for (const [r, { op, scope, target }] of phase.reductions.entries()) {
      let overall = 0;
      for (const values of partial) overall = combine(op, overall, values[r]!);
      for (const [s, { slots }] of segments.entries())
        slots[target] = scope === "all" ? overall : partial[s]![r]!;
    }
    for (const { slots } of segments)
      for (const instruction of phase.scalarCode) runScalar(instruction, slots);
  }
}

/** Runs the phase's code over the segment, block by block; returns its reductions. */
function runSegment(
  { code, reductions }: ElementwisePhase,
  registers: readonly Reals[],
  memory: readonly Reals[],
  elements: number,
  slots: Float64Array,
  precision: Precision,
): number[] {
  const totals = reductions.map(() => 0);
  if (code.length === 0) return totals;
  const round = precision === "f32" ? Math.fround : (value: number) => value;
  for (let start = 0; start < elements; start += BLOCK) {
    const count = Math.min(BLOCK, elements - start);
    const reader = (operand: Operand | undefined): ((i: number) => number) => {
      if (!operand) return () => 0;
      if ("slot" in operand) {
        const value = round(slots[operand.slot]!);
        return () => value;
      }
      const register = registers[operand.register]!;
      return (i) => register[i]!;
    };
    for (const { op, target, a, b } of code) {
      if (op === "load") {
        const source = memory[(a as { register: number }).register]!;
        registers[target]!.set(source.subarray(start, start + count));
      } else if (op === "store") {
        const read = reader(a);
        const destination = memory[target]!;
        for (let i = 0; i < count; i++) destination[start + i] = read(i);
      } else {
        const compute = VECTOR[op];
        const readA = reader(a);
        const readB = reader(b);
        const destination = registers[target]!;
        for (let i = 0; i < count; i++) destination[i] = compute(readA(i), readB(i));
      }
    }
    for (const [r, { op, register }] of reductions.entries()) {
      let block = 0;
      for (const value of registers[register]!.subarray(0, count))
        block = combine(op, block, value);
      totals[r] = combine(op, totals[r]!, block);
    }
  }
  return totals;
}

const combine = (op: Reduction["op"], a: number, b: number) =>
  op === "sum" ? a + b : Math.max(a, b);

const VECTOR = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  max: (a, b) => Math.max(a, b),
  min: (a, b) => Math.min(a, b),
  sqrt: (a) => Math.sqrt(a),
  abs: (a) => Math.abs(a),
  sign: (a) => (a > 0 ? 1 : a < 0 ? -1 : 0),
  square: (a) => a * a,
  negate: (a) => -a,
  fill: (a) => a,
} as const satisfies Record<string, (a: number, b: number) => number>;

function runScalar({ op, target, a, b, value }: ScalarInstruction, slots: Float64Array): void {
  const x = slots[a]!;
  const y = slots[b]!;
  slots[target] = (() => {
    switch (op) {
      case "add":
        return x + y;
      case "sub":
        return x - y;
      case "mul":
        return x * y;
      case "div":
        return x / y;
      case "max":
        return Math.max(x, y);
      case "min":
        return Math.min(x, y);
      case "sqrt":
        return Math.sqrt(x);
      case "abs":
        return Math.abs(x);
      case "constant":
        return value ?? 0;
      case "positiveOr":
        return x > 0 ? x : y;
      default:
        op satisfies never;
        throw new InternalError(`optimizer: unknown scalar operation ${String(op)}`);
    }
  })();
}
