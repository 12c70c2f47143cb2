/** @file The bytes that each instruction of a program reads and writes, as far as its operands say it. */

import { instructionRows } from "../compile/index.ts";
import { at } from "../core/at.ts";
import type { OptimizerProgram, Program } from "../program/index.ts";

/**
 * Bytes by instruction: each input read once, each output written once. An optimizer reads what its rule loads
 * and writes what it stores, so that a parameter counts twice: plain SGD moves 12 bytes a parameter, Adam 28.
 * What an instruction keeps for itself (scratch) is not counted, as it may never leave the cache.
 */
export function movedBytes(program: Program): number[] {
  const rows = instructionRows(program);
  return program.instructions.map(({ optimizer }, index) =>
    optimizer ? optimizerBytes(optimizer, program) : at(rows, index, "rows").bytes,
  );
}

function optimizerBytes({ phases, segments }: OptimizerProgram, { buffers }: Program): number {
  return segments.reduce((sum, { parameter, gradient, state }, segment) => {
    const sources = [parameter, gradient, ...state];
    const read = new Set<number>();
    const written = new Set<number>();
    for (const phase of phases) {
      if (phase.segments && !phase.segments.includes(segment)) continue;
      if (phase.kind === "matrix") {
        read.add(phase.source);
        written.add(phase.target);
        continue;
      }
      for (const { op, target, a } of phase.code) {
        if (op === "store") written.add(target);
        // What an earlier phase wrote and this one reads is the same memory: once is the least.
        if (op === "load" && "register" in a) read.add(a.register);
      }
    }
    // Sources past the states are scratch; -1 is a state that this segment does not have.
    const bytes = (source: number) => {
      const id = sources[source] ?? -1;
      return id < 0 ? 0 : at(buffers, id, "buffers").bytes;
    };
    return sum + [...read, ...written].reduce((total, source) => total + bytes(source), 0);
  }, 0);
}
