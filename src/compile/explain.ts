/** @file A compiled network as text: for `lrscope explain`, and for reading a diff of two plans. */

import { elementCount, formatShape } from "../core/shapes.ts";
import { mebibytes } from "../core/words.ts";
import { byName, formatAttributes } from "../ir/index.ts";
import { opNamed } from "../ops/index.ts";
import type { BufferSpec, Instruction, Program } from "../program/index.ts";
import { type FirstBlockCost, gains } from "./graph/fuse-first-block.ts";
import { REORDER } from "./memory/lay-out.ts";
import type { CompiledNetwork } from "./types.ts";

export interface InstructionRow {
  readonly index: number;
  readonly kind: string;
  readonly layer: string;
  readonly implementation: string;
  /** "x f32 [64, 3, 128, 128] abcd" and so on. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: string;
  readonly flops: number;
  /** Bytes of the operands, each once: what the instruction must at least move. */
  readonly bytes: number;
  readonly scratchBytes: number;
}

const operandNames = (kind: string) =>
  kind === REORDER || kind === "optimizer"
    ? { inputs: ["x"], outputs: ["y"] }
    : { inputs: opNamed(kind).inputs, outputs: opNamed(kind).outputs };

/** One row an instruction. */
export function instructionRows({ buffers, instructions }: Program): InstructionRow[] {
  const at = (id: number) => buffers[id]!;
  return instructions.map((instruction, index) => {
    const { kind, layer, implementation, attributes, scratch } = instruction;
    const names = operandNames(kind);
    const inputs = byName(names.inputs, instruction.inputs.map(at));
    const outputs = byName(names.outputs, instruction.outputs.map(at));
    return {
      index,
      kind,
      layer,
      implementation,
      inputs: Object.entries(inputs).map(operandText),
      outputs: Object.entries(outputs).map(operandText),
      attributes: formatAttributes(attributes),
      flops: instructionFlops(instruction, inputs, outputs),
      bytes: operandBytes(instruction, buffers),
      scratchBytes: scratch < 0 ? 0 : at(scratch).bytes,
    };
  });
}

const operandText = ([name, { dtype, shape, layout }]: [string, BufferSpec]) =>
  `${name} ${dtype} ${formatShape(shape)} ${layout}`;

function instructionFlops(
  { kind, attributes }: Instruction,
  inputs: Readonly<Record<string, BufferSpec>>,
  outputs: Readonly<Record<string, BufferSpec>>,
): number {
  if (kind === REORDER || kind === "optimizer") return 0;
  const shapes = Object.entries({ ...inputs, ...outputs }).map(([name, { shape }]) => [
    name,
    shape,
  ]);
  return opNamed(kind).flops?.(Object.fromEntries(shapes), attributes) ?? 0;
}

function operandBytes(
  { inputs, outputs, optimizer }: Instruction,
  buffers: Program["buffers"],
): number {
  const segments = optimizer?.segments ?? [];
  const ofSegments = segments.flatMap(({ parameter, gradient, state }) => [
    parameter,
    gradient,
    ...state,
  ]);
  const ids = new Set([...inputs, ...outputs, ...ofSegments]);
  return [...ids].reduce((sum, id) => sum + buffers[id]!.bytes, 0);
}

const gigaflops = (flops: number) => `${(flops / 1e9).toFixed(3)} GFLOP`;

/** Cells padded to columns; numbers are for the caller to format. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** The program's instructions, then its buffers by region and offset. */
export function printProgram(program: Program): string {
  const instructions = instructionRows(program).map((row) => [
    String(row.index),
    row.kind,
    row.layer,
    row.implementation,
    row.outputs.join(", "),
    row.inputs.join(", "),
    row.attributes,
    gigaflops(row.flops),
    mebibytes(row.bytes),
  ]);
  const buffers = [...program.buffers]
    .sort((a, b) => a.region.localeCompare(b.region) || a.offset - b.offset || a.id - b.id)
    .map(({ id, region, offset, bytes, name, dtype, shape, layout }) => [
      String(id),
      region,
      String(offset),
      String(bytes),
      `${dtype} ${formatShape(shape)} ${layout}`,
      name,
    ]);
  return [
    `program ${program.name}, batch ${program.batch}`,
    `scalars ${program.scalars.join(", ")}`,
    "",
    table([
      [
        "#",
        "instruction",
        "layer",
        "implementation",
        "outputs",
        "inputs",
        "attributes",
        "arithmetic",
        "operands",
      ],
      ...instructions,
    ]),
    "",
    table([["id", "region", "offset", "bytes", "tensor", "name"], ...buffers]),
  ].join("\n");
}

/** Whether a first block is one instruction, and why: what the rule that decides it weighs. */
function firstBlockText(cost: FirstBlockCost): string {
  const { layer, savedBytes, savedMs, addedMs } = cost;
  const how = gains(cost) ? "in one instruction" : "in instructions of its own";
  return `${layer} ${how}: by rule, one saves ${savedMs.toFixed(1)} ms (${mebibytes(savedBytes)} neither written nor read) and adds ${addedMs.toFixed(1)} ms of arithmetic`;
}

/** What the network costs: parameters, arithmetic, memory and its lower bound. */
export function printSummary(compiled: CompiledNetwork): string {
  const { network, memory, flops, parameterCount, sessionOptions, programs, tensors } = compiled;
  const state = tensors.filter(({ role }) => role === "state");
  const stateElements = state.reduce((sum, { buffer }) => sum + elementCount(buffer.shape), 0);
  const inputs = sessionOptions.slots * (sessionOptions.imageBytes + sessionOptions.labelBytes);
  const { arenaBytes, lowerBoundBytes, persistentBytes } = memory;
  const frozen = parameterCount - compiled.trainedParameterCount;
  const above = ((arenaBytes / lowerBoundBytes - 1) * 100).toFixed(1);
  return table([
    [
      "network",
      `${network.name}, input ${formatShape(network.inputShape)}, ${network.classes} classes`,
    ],
    [
      "batch",
      `${programs.train.batch}${programs.trainLast ? `, last ${programs.trainLast.batch}` : ""}`,
    ],
    [
      "parameters",
      `${parameterCount}${frozen > 0 ? `, ${frozen} of them frozen` : ""}, and ${stateElements} values of optimizer state`,
    ],
    [
      "arithmetic of a step",
      `${gigaflops(flops.forward)} forward, ${gigaflops(flops.backward)} backward`,
    ],
    [
      "arena",
      `${mebibytes(arenaBytes)}, ${above}% above the lower bound ${mebibytes(lowerBoundBytes)}`,
    ],
    ["parameters and state", mebibytes(persistentBytes)],
    ["inputs", `${mebibytes(inputs)} in ${sessionOptions.slots} slots`],
    ...compiled.firstBlocks.map((cost) => ["first block", firstBlockText(cost)]),
  ]);
}
