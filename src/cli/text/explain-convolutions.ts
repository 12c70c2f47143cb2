/** @file `lrscope explain`: what computes each convolution, why that, and what it costs. */

import type { CompileOptions } from "../../compile/index.ts";
import type { ConvolutionChoices } from "../../engine/tuning/convolution-choice.ts";
import type { Tuning } from "../../engine/tuning/tune.ts";
import type { Program } from "../../program/index.ts";
import type { Terminal } from "../terminal.ts";
import { textTable } from "./format.ts";

/** rule: the engine's own table; memory: given up for --memory; forced: by --convolutions. */
export type Reason = "rule" | "tuned" | "memory" | "forced";

export interface Decision {
  readonly convolutions: ConvolutionChoices;
  readonly reasons: Readonly<Record<string, Reason>>;
  readonly tuning: Tuning | null;
}

export interface ConvolutionRow {
  readonly layer: string;
  readonly pass: string;
  readonly implementation: string;
  readonly reason: Reason;
  /** Alone, where it was timed. */
  readonly ms: number | null;
  readonly flops: number;
  readonly bytes: number;
  readonly scratchBytes: number;
  /** Milliseconds of what else was tried. */
  readonly others: Readonly<Record<string, number>>;
}

/** @throws ArgumentError where no choice fits into --memory */
export async function decide(call: {
  options: CompileOptions;
  flags: {
    readonly tuneConvolutions: boolean;
    readonly memory: number | undefined;
    readonly convolutions: string | undefined;
  };
  terminal: Terminal;
  signal: AbortSignal;
}): Promise<Decision> {
  const { options, flags, terminal, signal } = call;
  let convolutions: ConvolutionChoices = {};
  const reasons: Record<string, Reason> = {};
  let tuning: Tuning | null = null;
  if (flags.tuneConvolutions) {
    const { tune } = await import("../../engine/tuning/tune.ts");
    const { openTuningCache } = await import("../../store/tuning-cache.ts");
    const onNote = (text: string) => terminal.note(text);
    const remember = (about: { engine: string; threads: number }) =>
      openTuningCache({ ...about, onNote });
    terminal.note("timing the implementations of each convolution ...");
    tuning = await tune({ ...options, remember, signal });
    convolutions = tuning.convolutions;
    for (const key of Object.keys(tuning.rule)) reasons[key] = "tuned";
  }
  if (flags.convolutions !== undefined) {
    const { forceEverywhere } = await import("../../engine/tuning/memory-bound.ts");
    convolutions = forceEverywhere(options, flags.convolutions);
    for (const key of Object.keys(convolutions)) reasons[key] = "forced";
  }
  if (flags.memory !== undefined) {
    const { boundMemory } = await import("../../engine/tuning/memory-bound.ts");
    const bounded = boundMemory({ ...options, convolutions, limitBytes: flags.memory });
    convolutions = bounded.convolutions;
    for (const key of bounded.givenUp) reasons[key] = "memory";
  }
  return { convolutions, reasons, tuning };
}

/** One row for each convolution and pass of a training step. */
export async function convolutionRows(
  program: Program,
  { reasons, tuning }: Decision,
): Promise<ConvolutionRow[]> {
  const { instructionRows } = await import("../../compile/index.ts");
  const { convolutionKey, isConvolution } = await import(
    "../../engine/tuning/convolution-choice.ts"
  );
  const rows = instructionRows(program);
  return program.instructions.flatMap((instruction, index) => {
    const { kind, layer, attributes, implementation } = instruction;
    if (!isConvolution(kind)) return [];
    const operands = (ids: readonly number[]) => ids.map((id) => program.buffers[id]!);
    const [inputs, outputs] = [operands(instruction.inputs), operands(instruction.outputs)];
    const key = convolutionKey({ kind, attributes, inputs, outputs });
    const { flops, bytes, scratchBytes } = rows[index]!;
    const tried = tuning?.candidates[key] ?? [];
    const chosen = tuning?.convolutions[key];
    const ms =
      tried.find((one) => one.implementation === chosen)?.ms ?? tuning?.rule[key]?.ms ?? null;
    return {
      layer,
      pass: key.split(" ")[0]!,
      implementation,
      reason: reasons[key] ?? "rule",
      ms,
      flops,
      bytes,
      scratchBytes,
      others: Object.fromEntries(tried.map((one) => [one.implementation, one.ms])),
    };
  });
}

const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1);

export const convolutionTable = (
  rows: readonly ConvolutionRow[],
  colors: Parameters<typeof textTable>[3],
): string =>
  textTable(
    ["convolution", "pass", "implementation", "why", "ms", "GFLOP", "MiB", "scratch", "tried, ms"],
    rows.map((row) => [
      row.layer,
      row.pass,
      row.implementation,
      row.reason,
      row.ms === null ? "-" : row.ms.toFixed(2),
      (row.flops / 1e9).toFixed(2),
      mebibytes(row.bytes),
      mebibytes(row.scratchBytes),
      Object.entries(row.others)
        .map(([name, ms]) => `${name} ${ms.toFixed(2)}`)
        .join(", "),
    ]),
    ["left", "left", "left", "left", "right", "right", "right", "right", "left"],
    colors,
  );
