/**
 * @file What the hardware must charge for a step: each convolution, in each pass, at the time of the
 * fastest primitive that was measured for it in this run, at its fastest; everything else at the time
 * that its operands take to move at the bandwidth that a triad reaches at best in this run, each
 * operand of an instruction counted once. Reorders count nothing: a better plan might need none.
 * Everything is measured twice, some while apart, as a machine that others use has slow minutes.
 */

import { instructionRows, type Precision } from "../compile/index.ts";
import { at } from "../core/at.ts";
import { convolutionKey, isConvolution } from "../engine/tuning/convolution-choice.ts";
import { type Tuning, tune } from "../engine/tuning/tune.ts";
import type { Network } from "../ir/index.ts";
import type { Backend, Program } from "../program/index.ts";
import { measureTriad } from "./machine-peaks.ts";

export interface StepLimit {
  readonly limitMs: number;
  readonly convolutionMs: number;
  readonly otherMs: number;
  readonly otherBytes: number;
  /** Gigabytes (10^9) a second. */
  readonly triadGBs: number;
}

/** @param program a training step of the network that was tuned */
export async function measureLimit(options: {
  network: Network;
  backend: Backend;
  batch: number;
  threads: number;
  program: Program;
  precision?: Precision | undefined;
  signal?: AbortSignal | undefined;
}): Promise<StepLimit> {
  const { program, threads } = options;
  const tunings: Tuning[] = [];
  let triadGBs = 0;
  for (let round = 0; round < 2; round++) {
    triadGBs = Math.max(triadGBs, await measureTriad(threads, "best"));
    tunings.push(await tune(options));
  }
  const rows = instructionRows(program);
  let [convolutionMs, otherBytes] = [0, 0];
  program.instructions.forEach((instruction, index) => {
    const { kind, attributes } = instruction;
    if (kind === "reorder") return;
    if (!isConvolution(kind)) {
      otherBytes += at(rows, index, "rows").bytes;
      return;
    }
    const operands = (ids: readonly number[]) =>
      ids.map((id) => at(program.buffers, id, "buffers"));
    const [inputs, outputs] = [operands(instruction.inputs), operands(instruction.outputs)];
    const key = convolutionKey({ kind, attributes, inputs, outputs });
    const times = tunings.flatMap(({ rule, candidates }) => [
      rule[key]?.minMs ?? Number.POSITIVE_INFINITY,
      ...(candidates[key] ?? []).map(({ minMs }) => minMs),
    ]);
    convolutionMs += Math.min(...times);
  });
  const otherMs = otherBytes / triadGBs / 1e6;
  return { limitMs: convolutionMs + otherMs, convolutionMs, otherMs, otherBytes, triadGBs };
}
