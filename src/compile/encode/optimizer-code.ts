/**
 * @file Straight-line vector code from numbered values: what is computed in which order within a
 * phase of an optimizer, and when results are stored.
 */

import type { Domain, Operand, Slot, VectorInstruction } from "../../program/index.ts";
import type { VirtualCode } from "./optimizer-registers.ts";

/** A distinct vector value: equal expressions share one. */
export interface Value {
  readonly id: number;
  readonly op: VectorInstruction["op"];
  /** Index of the source, of a "load". */
  readonly source: number;
  readonly operands: readonly (Value | { readonly slot: Slot })[];
  /** First phase in which it can be computed. */
  readonly phase: number;
  readonly domain: Domain;
}

export interface Output {
  /** Source index that is written. */
  readonly target: number;
  readonly value: Value;
}

/**
 * Straight-line code that computes the roots and stores the outputs, operands first. An output
 * is stored as soon as its old value is no longer to be loaded, so that its register is free.
 */
export function linearise(roots: readonly Value[], outputs: readonly Output[]): VirtualCode {
  const code: VirtualCode["instructions"][number][] = [];
  const emitted = new Set<Value>();
  const operand = (o: Value | { readonly slot: Slot }): Operand =>
    "slot" in o ? o : { register: o.id };
  const emit = (value: Value): void => {
    if (emitted.has(value)) return;
    for (const o of value.operands) if (!("slot" in o)) emit(o);
    emitted.add(value);
    const [a, b] = value.operands.map(operand);
    code.push({
      op: value.op,
      target: value.id,
      a: value.op === "load" ? { register: value.source } : a!,
      ...(b && { b }),
    });
  };

  for (const root of roots) emit(root);
  const loads = new Map<number, Value>();
  const seen = new Set<Value>();
  const findLoads = (value: Value): void => {
    if (seen.has(value)) return;
    seen.add(value);
    if (value.op === "load") loads.set(value.source, value);
    for (const o of value.operands) if (!("slot" in o)) findLoads(o);
  };
  for (const { value } of outputs) findLoads(value);

  let waiting: readonly Output[] = [];
  const store = (candidates: readonly Output[], final: boolean) => {
    const isFree = ({ target }: Output) => {
      const load = loads.get(target);
      return final || !load || emitted.has(load);
    };
    for (const { target, value } of candidates.filter(isFree))
      code.push({ op: "store", target, a: { register: value.id } });
    waiting = candidates.filter((output) => !isFree(output));
  };
  for (const output of outputs) {
    emit(output.value);
    store([...waiting, output], false);
  }
  store(waiting, true);
  return { instructions: code, kept: roots.map(({ id }) => id) };
}
