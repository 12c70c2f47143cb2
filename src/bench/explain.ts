/** @file A training step, compiled for this machine and explained: what computes each convolution, why that, and at what cost. */

import {
  type CompiledNetwork,
  type CompileOptions,
  compileNetwork,
  instructionRows,
} from "../compile/index.ts";
import { at } from "../core/at.ts";
import { checkPrecision, DEFAULT_ENGINE, openBackend } from "../engine/native/engines.ts";
import {
  type ConvolutionChoices,
  convolutionKey,
  implementationsOf,
  isConvolution,
} from "../engine/tuning/convolution-choice.ts";
import { boundMemory, forceEverywhere } from "../engine/tuning/memory-bound.ts";
import { type Tuning, tune } from "../engine/tuning/tune.ts";
import { defaultThreads } from "../files/machine.ts";
import { createOptimizer } from "../optimizers/index.ts";
import type { Backend, Program } from "../program/index.ts";
import type { Recipe } from "../record/index.ts";
import { openTuningCache } from "../store/tuning-cache.ts";
import { loadModel } from "../study/load-model.ts";

/** rule: the engine's own table; memory: given up for the bound; forced: by the call. */
type Reason = "rule" | "tuned" | "memory" | "forced";

interface Decision {
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

/** The network of a model, and how its step is compiled. */
export interface ExplainOptions {
  /** A name of the collection, or a file that exports `network`; default "vanilla". */
  readonly model?: string;
  /** Pixels of the square images; default 128. */
  readonly size?: number;
  readonly channels?: number;
  readonly classes?: number;
  readonly batch?: number;
  /** By its name, with its defaults. */
  readonly optimizer?: string;
  /** Default: all cores. */
  readonly threads?: number | undefined;
  /** A kind that `openBackend` knows; default "native". */
  readonly engine?: string;
  readonly precision?: Recipe["precision"];
  /** Time the implementations of each convolution and keep the fastest. */
  readonly tuneConvolutions?: boolean;
  /** Greatest memory of a step, in bytes. */
  readonly memory?: number | undefined;
  /** An implementation to force wherever there is such a one. */
  readonly convolutions?: string | undefined;
  /** Hears, for people, what takes long. */
  readonly onNote?: (text: string) => void;
  readonly signal?: AbortSignal;
}

export interface ExplainedStep {
  readonly compiled: CompiledNetwork;
  readonly backend: Backend;
  /** As plan.json has it: device, library, threads. */
  readonly engine: string;
  readonly threads: number;
  readonly convolutions: readonly ConvolutionRow[];
}

/**
 * Compiles a training step for this machine as `lrscope explain` prints it.
 * @throws ArgumentError for a model, optimizer, precision or implementation that there is not, and where no
 *   choice of implementations fits into the memory
 */
export async function explainStep(options: ExplainOptions = {}): Promise<ExplainedStep> {
  const { model = "vanilla", size = 128, channels = 3, classes = 5, batch = 64 } = options;
  const { optimizer = "sgd", precision = "fp32", threads = defaultThreads() } = options;
  const { engine = DEFAULT_ENGINE } = options;
  if (engine === DEFAULT_ENGINE) checkPrecision("explain", precision);
  const buildModel = await loadModel(model);
  const network = buildModel({ classes, size, channels });
  const backend = await openBackend(engine, { threads });
  const about = {
    network,
    backend,
    batch,
    optimizer: createOptimizer(optimizer),
    threads,
    precision,
  };
  const decision = await decide(about, options);
  const implementations = implementationsOf(decision.convolutions);
  const compiled = compileNetwork({ ...about, implementations });
  return {
    ...{ compiled, backend, threads, engine: backend.description },
    convolutions: convolutionRows(compiled.programs.train, decision),
  };
}

async function decide(about: CompileOptions, options: ExplainOptions): Promise<Decision> {
  const { onNote = () => undefined, signal } = options;
  let convolutions: ConvolutionChoices = {};
  const reasons: Record<string, Reason> = {};
  let tuning: Tuning | null = null;
  if (options.tuneConvolutions) {
    const remember = (of: { engine: string; threads: number }) =>
      openTuningCache({ ...of, onNote });
    onNote("timing the implementations of each convolution ...");
    tuning = await tune({ ...about, remember, ...(signal ? { signal } : {}) });
    convolutions = tuning.convolutions;
    for (const key of Object.keys(tuning.rule)) reasons[key] = "tuned";
  }
  if (options.convolutions !== undefined) {
    convolutions = forceEverywhere(about, options.convolutions);
    for (const key of Object.keys(convolutions)) reasons[key] = "forced";
  }
  if (options.memory !== undefined) {
    const bounded = boundMemory({ ...about, convolutions, limitBytes: options.memory });
    convolutions = bounded.convolutions;
    for (const key of bounded.givenUp) reasons[key] = "memory";
  }
  return { convolutions, reasons, tuning };
}

/** One row for each convolution and pass of a training step. */
function convolutionRows(program: Program, { reasons, tuning }: Decision): ConvolutionRow[] {
  const rows = instructionRows(program);
  return program.instructions.flatMap((instruction, index) => {
    const { kind, layer, attributes, implementation } = instruction;
    if (!isConvolution(kind)) return [];
    const operands = (ids: readonly number[]) =>
      ids.map((id) => at(program.buffers, id, "buffers"));
    const [inputs, outputs] = [operands(instruction.inputs), operands(instruction.outputs)];
    const key = convolutionKey({ kind, attributes, inputs, outputs });
    const { flops, bytes, scratchBytes } = at(rows, index, "rows");
    const tried = tuning?.candidates[key] ?? [];
    const chosen = tuning?.convolutions[key];
    const ms =
      tried.find((one) => one.implementation === chosen)?.ms ?? tuning?.rule[key]?.ms ?? null;
    return {
      layer,
      pass: key.replace(/ .*$/s, ""),
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
