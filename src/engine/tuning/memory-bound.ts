/**
 * @file --memory: implementations with large scratchpads are given up, largest first, until the whole
 * of a network's memory fits.
 */

import { type CompiledNetwork, type CompileOptions, compileNetwork } from "../../compile/index.ts";
import { ArgumentError } from "../../core/errors.ts";
import type { Backend, Program } from "../../program/index.ts";
import {
  type ConvolutionChoices,
  convolutionKey,
  implementationsOf,
  isConvolution,
} from "./convolution-choice.ts";
import { remembering } from "./tune.ts";

export interface MemoryBoundOptions extends Omit<CompileOptions, "implementations"> {
  /** Bytes that arena (scratchpads included), parameters, state and input slots may take together. */
  readonly limitBytes: number;
  /** To begin with; default the rule's. */
  readonly convolutions?: ConvolutionChoices;
}

/** Everything that a session allocates. */
export function sessionBytes({ sessionOptions }: CompiledNetwork): number {
  const { persistentBytes, arenaBytes, outputBytes, imageBytes, labelBytes, slots } =
    sessionOptions;
  return persistentBytes + arenaBytes + outputBytes + slots * (imageBytes + labelBytes);
}

/**
 * Choices whose memory stays within the bound; those that are given up are named in `givenUp`.
 * @throws ArgumentError where no choice fits, with the least that is needed
 */
export function boundMemory(options: MemoryBoundOptions): {
  readonly convolutions: ConvolutionChoices;
  readonly bytes: number;
  readonly givenUp: readonly string[];
} {
  const { limitBytes, convolutions: start = {}, ...rest } = options;
  const backend = remembering(options.backend);
  const attempt = (choices: ConvolutionChoices) =>
    compileNetwork({ ...rest, backend, implementations: implementationsOf(choices) });
  let choices = start;
  let compiled = attempt(choices);
  let least = sessionBytes(compiled);
  const givenUp: string[] = [];
  while (sessionBytes(compiled) > limitBytes) {
    const smaller = nextSmaller(compiled.programs.train, backend, choices);
    if (!smaller) throw refusal(limitBytes, least);
    choices = { ...choices, [smaller.key]: smaller.implementation };
    givenUp.push(smaller.key);
    compiled = attempt(choices);
    least = Math.min(least, sessionBytes(compiled));
  }
  return { convolutions: choices, bytes: sessionBytes(compiled), givenUp };
}

/** Choices that take one implementation wherever the machine has it. */
export function forceEverywhere(
  options: CompileOptions,
  implementation: string,
): ConvolutionChoices {
  const backend = remembering(options.backend);
  const choices: Record<string, string> = {};
  compileNetwork({
    ...options,
    backend,
    implementations(request) {
      if (!isConvolution(request.kind)) return undefined;
      const key = convolutionKey(request);
      if (!backend.implementations(request).includes(implementation)) return undefined;
      choices[key] = implementation;
      return implementation;
    },
  });
  return choices;
}

/** For the convolution with the largest scratchpad that another implementation undercuts: which. */
function nextSmaller(program: Program, backend: Backend, choices: ConvolutionChoices) {
  const { buffers } = program;
  const largestFirst = program.instructions
    .filter(({ kind, scratch }) => isConvolution(kind) && scratch >= 0)
    .sort((a, b) => buffers[b.scratch]!.bytes - buffers[a.scratch]!.bytes);
  for (const { kind, layer, attributes, inputs, outputs, scratch } of largestFirst) {
    const operands = (ids: readonly number[]) =>
      ids.map((id) => ({ ...buffers[id]!, layout: "any" as const }));
    const request = {
      kind,
      layer,
      attributes,
      inputs: operands(inputs),
      outputs: operands(outputs),
    };
    const key = convolutionKey(request);
    const options = backend
      .implementations(request)
      .filter((wanted) => wanted !== choices[key])
      .map((implementation) => ({
        implementation,
        bytes: backend.chooseLayouts({ ...request, wanted: implementation }).scratchBytes,
      }))
      .filter(({ bytes }) => bytes < buffers[scratch]!.bytes)
      .sort((a, b) => b.bytes - a.bytes);
    if (options[0]) return { key, implementation: options[0].implementation };
  }
  return null;
}

const mebibytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)}M`;

const refusal = (limit: number, least: number) =>
  new ArgumentError(
    `memory: the step must fit into ${mebibytes(limit)}; the least that it needs is ${mebibytes(least)}. Raise --memory, or lower --batch or --size`,
  );
