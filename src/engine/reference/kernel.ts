/** @file What a reference kernel is given, and how it reads its attributes. */

import { InternalError } from "../../core/errors.ts";
import type { Instruction } from "../../program/index.ts";
import type { Tensor } from "./memory.ts";

export interface KernelCall {
  readonly instruction: Instruction;
  /** Operands in the order of InstructionKind; an absent one is `undefined` at its index. */
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  /** The run's first two scalars, keys of every random draw. */
  readonly seed: number;
  readonly update: number;
}

export type Kernel = (call: KernelCall) => void;

const refuse = (instruction: Instruction, name: string, rule: string): never => {
  throw new InternalError(
    `${instruction.kind} "${instruction.layer}": attribute ${name} must be ${rule}; ` +
      `got ${String(instruction.attributes[name])}`,
  );
};

export function numberAttribute(instruction: Instruction, name: string): number {
  const value = instruction.attributes[name];
  return typeof value === "number" ? value : refuse(instruction, name, "a number");
}

/** A flag that is off where it is absent. */
export function flagAttribute(instruction: Instruction, name: string): boolean {
  const value = instruction.attributes[name] ?? false;
  return typeof value === "boolean" ? value : refuse(instruction, name, "true or false");
}

/** [height, width]. */
export function pairAttribute(instruction: Instruction, name: string): readonly [number, number] {
  const value = instruction.attributes[name];
  if (!Array.isArray(value) || value.length !== 2) return refuse(instruction, name, "[h, w]");
  return [value[0]!, value[1]!];
}

/** Extents of a (B,C,H,W) tensor; H = W = 1 for a (B,C) one, as batch norm takes both. */
export function imageExtents(tensor: Tensor): readonly [number, number, number, number] {
  const [b = 1, c = 1, h = 1, w = 1] = tensor.shape;
  return [b, c, h, w];
}
