/**
 * @file Interprets an OptimizerProgram: the same vector instructions as the native block
 * interpreter, in blocks of the same size, each rounded to the precision when it is stored in a
 * register. In f32 a double operation rounded once equals the f32 one (53 >= 2 * 24 + 2), so
 * both interpreters give the same bits.
 */

import { InternalError } from "../../core/errors.ts";
import type {
  ElementwisePhase,
  Operand,
  OptimizerProgram,
  OptimizerSegment,
  Reduction,
  ScalarInstruction,
} from "../../program/index.ts";
import { newReals, type Precision, type Reals } from "./memory.ts";
import { runMatrixPhase } from "./optimizer-matrix.ts";

/** Elements of a block; a reduction is the sum of its blocks' sums, so the size is part of the result. */
const BLOCK = 1024;

/**
 * The segment's memory by source index: 0 parameter, 1 gradient, 2 + k state k, then scratch;
 * undefined where the segment does not have it.
 */
export type SegmentMemory = (segment: OptimizerSegment) => readonly (Reals | undefined)[];

/** The buffer ids of a segment, by source index; -1 for what it does not have. */
export const sourcesOf = ({ parameter, gradient, state, scratch = [] }: OptimizerSegment) => [
  parameter,
  gradient,
  ...state,
  ...scratch,
];

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
    const { first = 0, count = 0 } = program.runSlots ?? {};
    const own = segment.ownSlots;
    if (own !== undefined) slots.copyWithin(first, own, own + count);
    for (const [i, slot] of program.segmentSlots.entries()) slots[slot] = segment.scalars[i]!;
    const { elements, rows = elements, columns = 1 } = segment;
    const extents = { parameter: elements, row: rows, column: columns };
    return { memory: memoryOf(segment), rows, columns, extents, slots };
  });
  const chosen = (only: readonly number[] | undefined) =>
    only ? only.map((s) => segments[s]!) : segments;
  const { scalarStates = [] } = program;
  for (const { source, load, segments: only } of scalarStates)
    for (const { slots, memory } of chosen(only)) slots[load] = memory[source]![0]!;

  for (const phase of program.phases) {
    const those = chosen(phase.segments);
    if (phase.kind === "matrix") {
      for (const { memory, rows, columns } of those) {
        const [source, target] = [memory[phase.source]!, memory[phase.target]!];
        runMatrixPhase(phase, { source, target, rows, columns, precision });
      }
      continue;
    }
    const partial = those.map(({ memory, extents, slots }) =>
      runSegment(phase, registers, memory, extents[phase.domain ?? "parameter"], slots, precision),
    );
    for (const [r, { op, scope, target }] of phase.reductions.entries()) {
      let overall = 0;
      for (const values of partial) overall = combine(op, overall, values[r]!);
      if (scope === "all") for (const { slots } of segments) slots[target] = overall;
      else for (const [s, { slots }] of those.entries()) slots[target] = partial[s]![r]!;
    }
    for (const { slots } of those)
      for (const instruction of phase.scalarCode) runScalar(instruction, slots);
  }

  for (const { source, store, segments: only } of scalarStates)
    if (store >= 0)
      for (const { slots, memory } of chosen(only)) memory[source]![0] = slots[store]!;
}

/** Runs the phase's code over the segment, block by block; returns its reductions. */
function runSegment(
  { code, reductions }: ElementwisePhase,
  registers: readonly Reals[],
  memory: readonly (Reals | undefined)[],
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
