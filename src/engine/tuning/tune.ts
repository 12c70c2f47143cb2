/**
 * @file --tune-convolutions: chooses an implementation for every convolution by timing. A choice is judged by the
 * whole step that it leads to, each instruction timed alone, so that the reorders that it brings
 * about, and what its layouts do to its neighbours, count against it.
 */

import { fuseFirstBlock } from "../../compile/graph/fuse-first-block.ts";
import { trainingGraph } from "../../compile/graph/passes.ts";
import type { Precision } from "../../compile/graph/precision.ts";
import { type LaidOutGraph, layOut } from "../../compile/memory/lay-out.ts";
import { AddonError, InterruptedError } from "../../core/errors.ts";
import type { Network } from "../../ir/index.ts";
import type { Backend, LayoutAnswer, LayoutRequest } from "../../program/index.ts";
import {
  type ConvolutionChoices,
  convolutionKey,
  implementationsOf,
  isConvolution,
} from "./convolution-choice.ts";
import {
  type InstructionClock,
  type InstructionTime,
  openInstructionClock,
} from "./instruction-clock.ts";

export interface TuneOptions {
  readonly network: Network;
  readonly backend: Backend;
  readonly batch: number;
  readonly threads: number;
  readonly labelSmoothing?: number | undefined;
  readonly classWeights?: readonly number[] | undefined;
  /** Default "fp32". */
  readonly precision?: Precision | undefined;
  /** What is remembered from run to run of an engine on so many threads; default nothing. */
  readonly remember?: ((about: { engine: string; threads: number }) => RememberedTimes) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Times of instructions, by key (instruction-clock.ts), that an earlier run left. */
export interface RememberedTimes {
  readonly times: ReadonlyMap<string, InstructionTime>;
  save(times: ReadonlyMap<string, InstructionTime>): void;
}

/** One implementation of one convolution. */
export interface Candidate {
  readonly implementation: string;
  /** Alone: the median, and the least. */
  readonly ms: number;
  readonly minMs: number;
  /** The sum over the step's instructions, with this one in it and the others as chosen then. */
  readonly stepMs: number;
  readonly scratchBytes: number;
}

export interface Tuning {
  readonly convolutions: ConvolutionChoices;
  /** What was tried, by convolution key. */
  readonly candidates: Readonly<Record<string, readonly Candidate[]>>;
  /** What the rule takes, by convolution key: median and least. */
  readonly rule: Readonly<Record<string, { readonly ms: number; readonly minMs: number }>>;
  /** Sum of the instructions' times, as chosen and by the rule. */
  readonly stepMs: number;
  readonly ruleStepMs: number;
  /** Milliseconds of every instruction that was timed, by key (instruction-clock.ts). */
  readonly clock: Pick<InstructionClock, "times">;
}

/** A gain below this part of the step is noise, and the rule stands. */
const LEAST_GAIN = 0.003;
const SWEEPS = 2;
/** An implementation that pays where its neighbours have it too, and is tried for all of them at once. */
const CHAINED = "channels-last";

/**
 * Times every implementation that the machine has for every convolution of a training step.
 * The times are remembered where the caller gives a place.
 * @throws InterruptedError where the signal aborts
 */
export async function tune(options: TuneOptions): Promise<Tuning> {
  const { network, batch, threads, signal, labelSmoothing = 0, classWeights, precision } = options;
  const backend = remembering(options.backend);
  const whole = trainingGraph(network, batch, { labelSmoothing, classWeights });
  const graph = backend.capabilities.firstBlock ? fuseFirstBlock(whole, precision) : whole;
  const remembered = options.remember?.({ engine: backend.description, threads });
  const clock = openInstructionClock({
    backend,
    threads,
    ...(remembered ? { known: remembered.times } : {}),
  });
  /** What the backend has of each convolution, by key. */
  const alternatives = new Map<string, readonly string[]>();
  const evaluate = async (choices: ConvolutionChoices) => {
    if (signal?.aborted) throw new InterruptedError();
    const chosen = implementationsOf(choices);
    const implementations = (request: LayoutRequest) => {
      const key = isConvolution(request.kind) ? convolutionKey(request) : null;
      if (key !== null && !alternatives.has(key))
        alternatives.set(key, backend.implementations(request));
      return chosen(request);
    };
    return stepCost(layOut(graph, { backend, implementations, precision }), clock);
  };
  try {
    const rule = await evaluate({});
    const keys = [...rule.convolutions.keys()];
    const candidates: Record<string, Candidate[]> = {};
    const attempt = async (key: string, choices: ConvolutionChoices) => {
      const implementation = choices[key]!;
      const cost = await orNothing(() => evaluate(choices));
      if (!cost) return null;
      const { ms, minMs, scratchBytes } = cost.convolutions.get(key)!;
      candidates[key] ??= [];
      const tried = candidates[key];
      const entry = { implementation, ms, minMs, stepMs: cost.stepMs, scratchBytes };
      const index = tried.findIndex((other) => other.implementation === implementation);
      if (index < 0) tried.push(entry);
      else tried[index] = entry;
      return cost.stepMs;
    };

    const descend = async (start: ConvolutionChoices, startMs: number) => {
      let [choices, stepMs] = [start, startMs];
      for (let sweep = 0; sweep < SWEEPS; sweep++) {
        const before = choices;
        for (const key of keys)
          for (const implementation of alternatives.get(key) ?? []) {
            if (choices[key] === implementation) continue;
            const changed = { ...choices, [key]: implementation };
            const ms = await attempt(key, changed);
            if (ms !== null && ms < stepMs * (1 - LEAST_GAIN)) [choices, stepMs] = [changed, ms];
          }
        if (choices === before) break;
      }
      return { choices, stepMs };
    };

    let best = await descend({}, rule.stepMs);
    // A chain of another layout is a valley of its own: single changes do not lead there.
    let last: ConvolutionChoices = {};
    let lastMs = Number.POSITIVE_INFINITY;
    for (const key of keys) {
      if (!alternatives.get(key)?.includes(CHAINED)) continue;
      const changed = { ...last, [key]: CHAINED };
      const ms = await attempt(key, changed);
      if (ms !== null) [last, lastMs] = [changed, ms];
    }
    if (lastMs < rule.stepMs * 1.5) {
      const other = await descend(last, lastMs);
      if (other.stepMs < best.stepMs * (1 - LEAST_GAIN)) best = other;
    }
    remembered?.save(clock.times);
    return {
      convolutions: best.choices,
      candidates,
      rule: Object.fromEntries(
        [...rule.convolutions].map(([key, { ms, minMs }]) => [key, { ms, minMs }]),
      ),
      stepMs: best.stepMs,
      ruleStepMs: rule.stepMs,
      clock,
    };
  } finally {
    clock.close();
  }
}

/** Sum of a step's instructions, each timed alone, and what its convolutions contribute. */
export async function stepCost(graph: LaidOutGraph, clock: InstructionClock) {
  const convolutions = new Map<
    string,
    {
      readonly ms: number;
      readonly minMs: number;
      readonly scratchBytes: number;
      readonly implementation: string;
    }
  >();
  let stepMs = 0;
  for (const node of graph.nodes) {
    if (node.implementation === "alias") continue;
    const { medianMs: ms, minMs } = await clock.time(node, graph);
    stepMs += ms;
    const { op: kind, attributes, scratchBytes, implementation } = node;
    if (!isConvolution(kind)) continue;
    const shapes = (ids: readonly number[]) => ids.map((id) => graph.tensors.get(id)!);
    const [inputs, outputs] = [shapes(node.inputs), shapes(node.outputs)];
    const key = convolutionKey({ kind, attributes, inputs, outputs });
    convolutions.set(key, { ms, minMs, scratchBytes, implementation });
  }
  return { stepMs, convolutions };
}

/** null where the machine has no such implementation. */
async function orNothing<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AddonError) return null;
    throw error;
  }
}

/** A backend that answers an equal question from memory: the tuner lays the same graph out often. */
export function remembering(backend: Backend): Backend {
  const answers = new Map<string, LayoutAnswer | AddonError>();
  return {
    ...backend,
    chooseLayouts(request: LayoutRequest): LayoutAnswer {
      const { layer: _, ...asked } = request;
      const key = JSON.stringify(asked);
      let answer = answers.get(key);
      if (answer === undefined) {
        try {
          answer = backend.chooseLayouts(request);
        } catch (error) {
          if (!(error instanceof AddonError)) throw error;
          answer = error;
        }
        answers.set(key, answer);
      }
      if (answer instanceof AddonError) throw answer;
      return answer;
    },
  };
}
