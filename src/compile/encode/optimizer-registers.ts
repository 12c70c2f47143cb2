/**
 * @file Registers for an optimizer's straight-line code, by liveness. A register is a block of
 * floats in L1 cache, so few of them matter more than anything else here.
 */

import { InternalError } from "../../core/errors.ts";
import type { Operand, VectorInstruction } from "../../program/index.ts";

/** Code in which every value has a register of its own, numbered as it likes. */
export interface VirtualCode {
  readonly instructions: readonly VectorInstruction[];
  /** Values that are still needed after the last instruction: what is reduced. */
  readonly kept: readonly number[];
}

export interface AllocatedCode {
  readonly instructions: readonly VectorInstruction[];
  readonly registers: number;
  /** Register of a kept value. */
  registerOf(value: number): number;
}

/** An instruction may write the register of an operand whose last use it is. */
export function allocateRegisters({ instructions, kept }: VirtualCode): AllocatedCode {
  const lastUse = new Map<number, number>();
  for (const [i, instruction] of instructions.entries())
    for (const value of valuesRead(instruction)) lastUse.set(value, i);
  for (const value of kept) lastUse.set(value, instructions.length);

  const register = new Map<number, number>();
  const free: number[] = [];
  let count = 0;
  const registerOf = (value: number): number => {
    const found = register.get(value);
    if (found === undefined) throw new InternalError(`optimizer: value ${value} has no register`);
    return found;
  };
  const operandOf = (operand: Operand): Operand =>
    "slot" in operand ? operand : { register: registerOf(operand.register) };

  const allocated = instructions.map((instruction, i): VectorInstruction => {
    const { op, target, a, b } = instruction;
    const operands = {
      a: op === "load" ? a : operandOf(a),
      ...(b && { b: operandOf(b) }),
    };
    for (const value of new Set(valuesRead(instruction)))
      if (lastUse.get(value) === i) free.push(registerOf(value));
    if (op === "store") return { op, target, ...operands };
    // The most recently freed register: what was just read is what the cache holds.
    const assigned = free.pop() ?? count++;
    register.set(target, assigned);
    return { op, target: assigned, ...operands };
  });
  return { instructions: allocated, registers: count, registerOf };
}

/** Values (virtual registers) that an instruction reads; a load reads memory. */
function valuesRead({ op, a, b }: VectorInstruction): number[] {
  if (op === "load") return [];
  return [a, b].flatMap((operand) => (operand && "register" in operand ? [operand.register] : []));
}
