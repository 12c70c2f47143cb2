/**
 * @file Where the time of a step goes: each instruction timed inside real steps, beside what this machine would
 * need for it at best. Plain and timed steps take turns, so that the cost of the clock itself is seen.
 */

import { type InstructionRow, instructionRows } from "../compile/index.ts";
import { at } from "../core/at.ts";
import { checkPositiveInteger } from "../core/checks.ts";
import { ArgumentError, InterruptedError } from "../core/errors.ts";
import type { Backend, Program } from "../program/index.ts";
import { type ExplainedStep, type ExplainOptions, explainStep } from "./explain.ts";
import { type MachinePeaks, measurePeaks } from "./machine-peaks.ts";
import { openNoiseStep } from "./noise-step.ts";
import { movedBytes } from "./traffic.ts";
import { statistics, type Times } from "./turns.ts";

/** Of a step: up to the loss, after it, and the optimizer. */
export type StepPart = "forward" | "backward" | "update";

/** What an instruction waits for most: memory, arithmetic, or its own beginning. */
export type Bound = "memory" | "arithmetic" | "start";

/** An instruction's time within a step. */
export interface ProfiledInstruction extends Times {
  /** Index into `Program.instructions`. */
  readonly index: number;
  readonly kind: string;
  readonly layer: string;
  readonly part: StepPart;
  readonly implementation: string;
  /** Of the sum of all instructions' medians, 0 .. 1. */
  readonly share: number;
  /** Each input read once, each output written once. */
  readonly bytes: number;
  /** Additions and multiplications of the plain formula; an optimizer's are not counted. */
  readonly flops: number;
  /** bytes and flops by the median, in 10^9 a second. */
  readonly gbPerSecond: number;
  readonly gflops: number;
  /** Milliseconds that the machine needs at best: the greatest of what bytes, operations and a start take. */
  readonly leastMs: number;
  readonly bound: Bound;
}

/** What `lrscope explain --profile --json` prints as `profile`. */
export interface StepProfile {
  readonly program: string;
  /** Profiled steps; as many plain ones lay between them. */
  readonly steps: number;
  /** Whole steps without a clock inside, as JavaScript sees them. */
  readonly plain: Times;
  /** Whole steps with the clock. */
  readonly timed: Times;
  /** Of all instructions, in one step. */
  readonly instructionsTotal: Times;
  /** What `leastMs` of all instructions makes together. */
  readonly leastMs: number;
  readonly machine: MachinePeaks;
  readonly instructions: readonly ProfiledInstruction[];
  /** Milliseconds since the first step began, and of each instruction: for a trace. */
  readonly recorded: readonly RecordedStep[];
}

/** One step as it happened. */
export interface RecordedStep {
  readonly startMs: number;
  readonly ms: number;
  readonly instructionMs: readonly number[];
}

export interface ProfileOptions extends ExplainOptions {
  /** Which of the network's programs; default "train". */
  readonly program?: "train" | "evaluate" | "predict";
  /** Timed steps; default 20. */
  readonly steps?: number;
}

const WARM_UP = 3;

/**
 * Compiles a network as `explainStep` does, runs it on noise, and says what each instruction costs.
 * A timed step computes the same bits as any other.
 * @throws ArgumentError where the engine has no profile: the reference engines have none, as a time of theirs
 *   says nothing about training; and for steps outside their domain
 * @throws InterruptedError once `signal` aborts
 */
export async function profileStep(
  options: ProfileOptions = {},
): Promise<ExplainedStep & { readonly profile: StepProfile }> {
  const { program: name = "train", steps = 20, onNote, signal, precision } = options;
  checkPositiveInteger("profile", "steps", steps);
  const explained = await explainStep(options);
  const { backend, compiled, threads } = explained;
  checkProfile(backend);
  onNote?.("measuring what the machine can do ...");
  const machine = await measurePeaks({ backend, threads, precision });
  onNote?.(`timing the instructions of ${steps} steps ...`);
  const recorded: RecordedStep[] = [];
  const plain: number[] = [];
  const program = compiled.programs[name];
  const step = await openNoiseStep({ compiled, backend, program });
  try {
    await step.run(WARM_UP);
    const began = performance.now();
    for (let i = 0; i < steps; i++) {
      if (signal?.aborted) throw new InterruptedError("interrupted; nothing was recorded");
      plain.push(...(await step.run(1)));
      const scalars = step.scalars();
      const started = performance.now();
      const instructionMs = await step.loaded.profile({ slot: 0, scalars });
      const ms = performance.now() - started;
      recorded.push({ startMs: started - began, ms, instructionMs: [...instructionMs] });
    }
  } finally {
    step.close();
  }
  return { ...explained, profile: profileOf({ program, machine, plain, recorded }) };
}

function checkProfile({ capabilities, kind }: Backend): void {
  if (!capabilities.profile)
    throw new ArgumentError(
      `profile: the engine "${kind}" has no profile, as its times are not those of training; use the engine "native"`,
    );
}

/** The numbers of a profile from what was measured. */
export function profileOf(measured: {
  readonly program: Program;
  readonly machine: MachinePeaks;
  readonly plain: readonly number[];
  readonly recorded: readonly RecordedStep[];
}): StepProfile {
  const { program, machine, plain, recorded } = measured;
  const rows = instructionRows(program);
  const bytes = movedBytes(program);
  const loss = rows.findIndex(({ kind }) => kind === "softmaxCrossEntropy");
  const times = rows.map((_, index) =>
    statistics(recorded.map(({ instructionMs }) => at(instructionMs, index, "times"))),
  );
  const total = times.reduce((sum, { medianMs }) => sum + medianMs, 0);
  const instructions = rows.map((row, index): ProfiledInstruction => {
    const time = at(times, index, "times");
    const moved = at(bytes, index, "bytes");
    const { kind, layer, implementation, flops } = row;
    const part =
      kind === "optimizer" ? "update" : loss < 0 || index <= loss ? "forward" : "backward";
    return {
      ...{ index, kind, layer, part, implementation },
      ...time,
      ...{ share: total > 0 ? time.medianMs / total : 0, bytes: moved, flops },
      gbPerSecond: rateOf(moved, time.medianMs),
      gflops: rateOf(flops, time.medianMs),
      ...leastOf({ row, moved, machine }),
    };
  });
  return {
    program: program.name,
    steps: recorded.length,
    plain: statistics(plain),
    timed: statistics(recorded.map(({ ms }) => ms)),
    instructionsTotal: statistics(
      recorded.map(({ instructionMs }) => instructionMs.reduce((sum, ms) => sum + ms, 0)),
    ),
    leastMs: instructions.reduce((sum, { leastMs }) => sum + leastMs, 0),
    ...{ machine, instructions, recorded },
  };
}

/** 10^9 a second. */
const rateOf = (amount: number, ms: number): number => (ms > 0 ? amount / ms / 1e6 : 0);

function leastOf(options: { row: InstructionRow; moved: number; machine: MachinePeaks }): {
  leastMs: number;
  bound: Bound;
} {
  const { row, moved, machine } = options;
  const narrow = row.inputs.some((operand) => operand.includes(" bf16 "));
  const peak = narrow && machine.gflops.bf16 > 0 ? machine.gflops.bf16 : machine.gflops.f32;
  const each: Readonly<Record<Bound, number>> = {
    memory: moved / machine.gbPerSecond / 1e6,
    arithmetic: row.flops / winogradSaving(row.implementation) / peak / 1e6,
    start: machine.startMs,
  };
  const bounds: readonly Bound[] = ["memory", "arithmetic", "start"];
  const bound = bounds.reduce((most, one) => (each[one] > each[most] ? one : most));
  return { leastMs: each[bound], bound };
}

/**
 * How many times fewer products Winograd's F(m x m, r x r) takes than the formula: (m r)^2 / (m + r - 1)^2, so
 * 4 for F(4x4,3x3). Lavin and Gray, "Fast algorithms for convolutional neural networks", 2016, section 4.
 */
export function winogradSaving(implementation: string): number {
  const [, tile, kernel] = /F\((\d+)x\d+,(\d+)x\d+\)/.exec(implementation) ?? [];
  if (tile === undefined || kernel === undefined) return 1;
  const [m, r] = [Number(tile), Number(kernel)];
  return (m * r) ** 2 / (m + r - 1) ** 2;
}
