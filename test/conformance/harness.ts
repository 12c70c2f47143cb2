/**
 * @file Runs a few instructions on a backend. Memory layouts are chosen as the compiler does it:
 * the backend is asked step by step, and a reorder is put where its answer differs from what a
 * tensor already is.
 */

import { randomStream } from "../../src/core/random.ts";
import { elementCount, type Shape } from "../../src/core/shapes.ts";
import {
  type AttributeValue,
  type Backend,
  type BufferSpec,
  type DType,
  type Instruction,
  type InstructionKind,
  KERNELS,
  type Layout,
  layoutBytes,
  type OptimizerProgram,
  type Program,
  plainLayout,
  type Region,
  type Session,
} from "../../src/program/index.ts";

export interface TensorCase {
  readonly shape: Shape;
  /** What it begins as; a tensor without values is computed. */
  readonly values?: ArrayLike<number>;
  readonly dtype?: DType;
  /** The layout that it arrives in, where the backend knows it; the backend's choice otherwise. */
  readonly layout?: Layout;
}

export interface StepCase {
  readonly kind: InstructionKind;
  /** Several kinds may share them: each gets those that it takes. */
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** The implementation to force; the backend's rule otherwise. */
  readonly wanted?: string | undefined;
}

export interface Case {
  readonly tensors: Readonly<Record<string, TensorCase>>;
  readonly steps: readonly StepCase[];
  /** Added as a last instruction; ids of tensors come from `id`. */
  readonly optimizer?: (id: (name: string) => BufferSpec) => OptimizerProgram;
  readonly scalars?: readonly number[];
}

export interface PreparedCase {
  readonly program: Program;
  readonly session: Session;
  readonly buffer: (name: string) => BufferSpec;
}

const align = (bytes: number) => Math.ceil(bytes / 64) * 64;

/** Plans the case on the backend, loads nothing yet, and writes the tensors' values. */
export async function prepareCase(
  backend: Backend,
  { tensors, steps, optimizer, scalars }: Case,
  threads = 2,
): Promise<PreparedCase> {
  const plain = backend.kind !== "native";
  const buffers: BufferSpec[] = [];
  const instructions: Instruction[] = [];
  const named = new Map<string, BufferSpec>();
  const used: Record<Region, number> = {
    persistent: 0,
    arena: 0,
    images: 0,
    labels: 0,
    outputs: 0,
  };

  const place = (name: string, shape: Shape, dtype: DType, layout: Layout, bytes: number) => {
    const region: Region = dtype === "i32" ? "labels" : "persistent";
    const spec = {
      id: buffers.length,
      name,
      shape,
      dtype,
      layout,
      bytes,
      region,
      offset: used[region],
    };
    used[region] += align(bytes);
    buffers.push(spec);
    return spec;
  };
  const plainOrGiven = (name: string): Layout | "any" => {
    const { shape, layout, dtype = "f32" } = tensors[name]!;
    if (dtype === "u8") return "opaque";
    if (dtype === "i32" || plain) return plainLayout(shape.length);
    return layout ?? "any";
  };
  const buffer = (name: string) => {
    const found = named.get(name);
    if (!found) throw new Error(`the case has no tensor "${name}"`);
    return found;
  };
  const reorder = (from: BufferSpec, to: BufferSpec) => {
    const answer = backend.chooseLayouts({
      kind: "reorder",
      layer: to.name,
      attributes: {},
      inputs: [from],
      outputs: [to],
    });
    instructions.push({
      kind: "reorder",
      layer: to.name,
      inputs: [from.id],
      outputs: [to.id],
      scratch: scratchOf(answer.scratchBytes),
      attributes: {},
      implementation: answer.implementation,
    });
  };
  const scratchOf = (bytes: number) =>
    bytes === 0 ? -1 : place("scratch", [bytes], "u8", "opaque", bytes).id;

  for (const { kind, attributes: shared = {}, inputs, outputs, wanted } of steps) {
    const attributes = Object.fromEntries(
      Object.entries(shared).filter(([name]) => Object.hasOwn(KERNELS[kind].attributes, name)),
    );
    const operand = (name: string) => {
      const { shape, dtype = "f32" } = tensors[name]!;
      return { shape, dtype, layout: named.get(name)?.layout ?? plainOrGiven(name) };
    };
    const answer = backend.chooseLayouts({
      kind,
      layer: kind,
      attributes,
      inputs: inputs.map(operand),
      outputs: outputs.map(operand),
      wanted,
    });
    const resolve = (name: string, layout: Layout, bytes: number) => {
      const { shape, dtype = "f32" } = tensors[name]!;
      const given = plainOrGiven(name);
      const before =
        named.get(name) ??
        place(
          name,
          shape,
          dtype,
          given === "any" ? layout : given,
          given === "any" || given === layout ? bytes : layoutBytes(given, shape, dtype),
        );
      named.set(name, before);
      return before.layout === layout
        ? before
        : place(`${name}:${layout}`, shape, dtype, layout, bytes);
    };
    const from = inputs.map((name, i) => {
      const layout = answer.inputs[i]!;
      const { shape, dtype = "f32" } = tensors[name]!;
      const chosen = resolve(
        name,
        layout,
        layout === "opaque" ? 0 : layoutBytes(layout, shape, dtype),
      );
      if (chosen !== buffer(name)) reorder(buffer(name), chosen);
      return chosen;
    });
    const to = outputs.map((name, i) => resolve(name, answer.outputs[i]!, answer.outputBytes[i]!));
    instructions.push({
      kind,
      layer: kind,
      inputs: from.map(({ id }) => id),
      outputs: to.map(({ id }) => id),
      scratch: scratchOf(answer.scratchBytes),
      attributes,
      implementation: answer.implementation,
    });
    for (const [i, name] of outputs.entries())
      if (to[i] !== buffer(name)) reorder(to[i]!, buffer(name));
  }

  for (const [name, { shape, dtype = "f32" }] of Object.entries(tensors))
    if (!named.has(name)) {
      const given = plainOrGiven(name);
      const layout = given === "any" ? plainLayout(shape.length) : given;
      named.set(name, place(name, shape, dtype, layout, layoutBytes(layout, shape, dtype)));
    }
  if (optimizer)
    instructions.push({
      kind: "optimizer",
      layer: "optimizer",
      inputs: [],
      outputs: [],
      scratch: -1,
      attributes: {},
      implementation: "",
      optimizer: optimizer(buffer),
    });

  const session = await backend.openSession({
    persistentBytes: used.persistent,
    arenaBytes: 64,
    outputBytes: 64,
    imageBytes: 64,
    labelBytes: Math.max(64, used.labels),
    slots: 1,
    threads,
  });
  for (const [name, { values }] of Object.entries(tensors)) {
    if (!values) continue;
    const target = buffer(name);
    if (target.dtype === "i32") session.labels(0).set(values, target.offset / 4);
    else await session.write(target, Float32Array.from(values));
  }
  const program: Program = {
    name: "case",
    buffers,
    instructions,
    scalars: ["seed", "update", ...(scalars ?? []).slice(2).map((_, i) => `s${i}`)],
    outputs: {},
    batch: 1,
  };
  return { program, session, buffer };
}

/** Runs the case once; the f32 and bf16 tensors by name, in logical order, what was given included. */
export async function runCase(
  backend: Backend,
  given: Case,
  threads = 2,
): Promise<Record<string, Float32Array>> {
  const { program, session, buffer } = await prepareCase(backend, given, threads);
  try {
    await (await session.load(program)).run({
      slot: 0,
      scalars: Float64Array.from(given.scalars ?? [0, 0]),
    });
    const results: Record<string, Float32Array> = {};
    for (const [name, { dtype = "f32" }] of Object.entries(given.tensors))
      if (dtype === "f32" || dtype === "bf16") {
        results[name] = await session.read(buffer(name));
        if (backend.kind === "native")
          await expectZeroPadding(session, buffer(name), results[name]);
      }
    return results;
  } finally {
    session.dispose();
  }
}

/** The padding of a blocked layout holds zeros: the memory has no more non-zeros than the tensor. */
async function expectZeroPadding(
  session: Session,
  buffer: BufferSpec,
  values: Float32Array,
): Promise<void> {
  const length =
    layoutBytes(buffer.layout, buffer.shape, buffer.dtype) / (buffer.dtype === "bf16" ? 2 : 4);
  const raw = await session.read({ ...buffer, shape: [length], layout: "a" });
  const nonZeros = (list: Float32Array) =>
    list.reduce((count, value) => count + (value === 0 ? 0 : 1), 0);
  if (nonZeros(raw) !== nonZeros(values))
    throw new Error(`the padding of "${buffer.name}" (${buffer.layout}) is not zero`);
}

/** Values in [-1, 1), the same for the same name. */
export function uniformValues(shape: Shape, seed: number): Float32Array {
  const stream = randomStream(seed, "synthetic");
  return generate(elementCount(shape), () => 2 * stream.uniform() - 1);
}

/** `Float32Array.from` with a function, in a loop, which takes a tenth of the time. */
export function generate(length: number, value: (index: number) => number): Float32Array {
  const values = new Float32Array(length);
  for (let i = 0; i < length; i++) values[i] = value(i);
  return values;
}

/** Largest difference, relative to the largest magnitude of what is expected. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length)
    throw new Error(`${actual.length} values where ${expected.length} are expected`);
  let largest = 0;
  let difference = 0;
  for (let i = 0; i < expected.length; i++) {
    largest = Math.max(largest, Math.abs(expected[i]!));
    const d = Math.abs(actual[i]! - expected[i]!);
    // A NaN in one of them is a difference that no tolerance covers.
    difference = Number.isNaN(d) ? Number.POSITIVE_INFINITY : Math.max(difference, d);
  }
  return difference / Math.max(largest, 1e-30);
}
