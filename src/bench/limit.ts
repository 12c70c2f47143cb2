/**
 * @file What the hardware must charge for a step: each convolution, in each pass, at the time of the
 * fastest primitive that was measured for it in this run, at its fastest; everything else at the greater of
 * two times: what its bytes take to move (traffic.ts) at the bandwidth that a triad reaches at best in this run,
 * and what its operations take at the speed of a great matrix product in the step's precision. Reorders count
 * nothing: a better plan might need none.
 * Everything is measured twice, some while apart, as a machine that others use has slow minutes.
 */

import { instructionRows, type Precision } from "../compile/index.ts";
import { at } from "../core/at.ts";
import { convolutionKey, isConvolution } from "../engine/tuning/convolution-choice.ts";
import { type Tuning, tune } from "../engine/tuning/tune.ts";
import type { Network } from "../ir/index.ts";
import type { Backend, Program } from "../program/index.ts";
import { measurePeaks } from "./machine-peaks.ts";
import { movedBytes } from "./traffic.ts";

export interface StepLimit {
  readonly limitMs: number;
  readonly convolutionMs: number;
  readonly otherMs: number;
  /** Of otherMs, what is spent where operations take longer than bytes: the linear layers' products. */
  readonly arithmeticMs: number;
  readonly otherBytes: number;
  /** Gigabytes (10^9) a second. */
  readonly triadGBs: number;
  /** 10^9 operations a second of a great matrix product in the step's precision. */
  readonly peakGflops: number;
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
  const { program, threads, backend, precision = "fp32" } = options;
  const tunings: Tuning[] = [];
  let [triadGBs, peakGflops] = [0, 0];
  for (let round = 0; round < 2; round++) {
    const { gbPerSecond, gflops } = await measurePeaks({ backend, threads, precision });
    triadGBs = Math.max(triadGBs, gbPerSecond);
    peakGflops = Math.max(peakGflops, precision === "bf16" ? gflops.bf16 : gflops.f32);
    tunings.push(await tune(options));
  }
  const rows = instructionRows(program);
  const bytes = movedBytes(program);
  let [convolutionMs, otherMs, arithmeticMs, otherBytes] = [0, 0, 0, 0];
  program.instructions.forEach((instruction, index) => {
    const { kind, attributes } = instruction;
    if (kind === "reorder") return;
    if (!isConvolution(kind)) {
      const moved = at(bytes, index, "bytes");
      const bytesMs = moved / triadGBs / 1e6;
      const operationsMs = at(rows, index, "rows").flops / peakGflops / 1e6;
      otherBytes += moved;
      otherMs += Math.max(bytesMs, operationsMs);
      if (operationsMs > bytesMs) arithmeticMs += operationsMs;
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
  const limitMs = convolutionMs + otherMs;
  return { limitMs, convolutionMs, otherMs, arithmeticMs, otherBytes, triadGBs, peakGflops };
}
