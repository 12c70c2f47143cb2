/**
 * @file What single instructions cost, each run alone over memory of its own: for the tuner, and for
 * the limit that a step is measured against.
 */

import type { LaidOutGraph, LaidOutNode } from "../../compile/memory/lay-out.ts";
import { aligned } from "../../compile/memory/offsets.ts";
import { randomStream } from "../../core/random.ts";
import { formatShape } from "../../core/shapes.ts";
import { formatAttributes } from "../../ir/index.ts";
import type {
  Backend,
  BufferSpec,
  InstructionKind,
  Program,
  Session,
} from "../../program/index.ts";

/** Milliseconds of an instruction. */
export interface InstructionTime {
  readonly medianMs: number;
  readonly minMs: number;
}

export interface InstructionClock {
  /**
   * Time of a node; measured once for each combination of op, attributes, shapes, layouts and
   * implementation. Zero for what reads labels: it is small, and needs real ones.
   */
  time(node: LaidOutNode, graph: LaidOutGraph): Promise<InstructionTime>;
  /** Every time so far, by key; those that were known at the start included. */
  readonly times: ReadonlyMap<string, InstructionTime>;
  close(): void;
}

/** How long one instruction is repeated, and how often at least and at most. */
const BUDGET_MS = 120;
const LEAST = 3;
const MOST = 25;

const FREE: InstructionTime = { medianMs: 0, minMs: 0 };

/** What an instruction's time depends on, as text. */
export function instructionKey(node: LaidOutNode, graph: LaidOutGraph): string {
  const operand = (id: number) => {
    const { shape, layout, bytes, dtype } = graph.tensors.get(id)!;
    const type = dtype === "bf16" ? " bf16" : "";
    return `${formatShape(shape)} ${layout === "opaque" ? bytes : layout}${type}`;
  };
  const { op, attributes, inputs, outputs, implementation } = node;
  const plain = Object.fromEntries(
    Object.entries(attributes).filter(([name]) => name !== "layerIndex"),
  );
  return [
    op,
    formatAttributes(plain),
    inputs.map(operand).join(", "),
    outputs.map(operand).join(", "),
    implementation,
  ].join(" | ");
}

/** @param known times that need not be measured again */
export function openInstructionClock(options: {
  backend: Backend;
  threads: number;
  known?: ReadonlyMap<string, InstructionTime>;
}): InstructionClock {
  const { backend, threads, known = new Map() } = options;
  const times = new Map<string, InstructionTime>(known);
  const { alignment } = backend;
  let session: Session | undefined;
  let capacity = { arena: 0, persistent: 0 };

  const sessionFor = async (arena: number, persistent: number): Promise<Session> => {
    if (session && arena <= capacity.arena && persistent <= capacity.persistent) return session;
    session?.dispose();
    capacity = {
      arena: Math.max(arena, Math.ceil(capacity.arena * 1.25)),
      persistent: Math.max(persistent, capacity.persistent),
    };
    session = await backend.openSession({
      persistentBytes: aligned(capacity.persistent, alignment) + alignment,
      arenaBytes: aligned(capacity.arena, alignment),
      outputBytes: alignment,
      imageBytes: alignment,
      labelBytes: alignment,
      slots: 1,
      threads,
    });
    await fillWithNoise(session, capacity.arena);
    return session;
  };

  return {
    times,
    async time(node, graph) {
      const tensors = [...node.inputs, ...node.outputs].map((id) => graph.tensors.get(id)!);
      if (tensors.some(({ dtype }) => dtype === "i32")) return FREE;
      const key = instructionKey(node, graph);
      const before = times.get(key);
      if (before) return before;
      const { program, arena, persistent } = alone(node, graph);
      const loaded = await (await sessionFor(arena, persistent)).load(program);
      if (!loaded.time) return FREE;
      const run = { slot: 0, scalars: Float64Array.of(0, 0), instruction: 0 };
      const [, first = 0] = await loaded.time({ ...run, repetitions: 2 });
      const wanted = Math.ceil(BUDGET_MS / Math.max(first, 1e-3));
      const repetitions = Math.min(MOST, Math.max(LEAST, wanted));
      const sorted = [...(await loaded.time({ ...run, repetitions }))].sort((a, b) => a - b);
      const time = { medianMs: sorted[Math.floor(sorted.length / 2)]!, minMs: sorted[0]! };
      times.set(key, time);
      return time;
    },
    close: () => session?.dispose(),
  };
}

/**
 * A program of one instruction. Workspaces that it reads lie in the persistent region, which nothing
 * writes: zeros are a workspace that every kernel understands, leftovers of others are not.
 */
function alone(node: LaidOutNode, graph: LaidOutGraph) {
  const end = { arena: 0, persistent: 0 };
  const buffers: BufferSpec[] = [];
  const add = (spec: Omit<BufferSpec, "id" | "region" | "offset">, read: boolean): number => {
    const region = read && spec.layout === "opaque" ? "persistent" : "arena";
    buffers.push({ ...spec, id: buffers.length, region, offset: end[region] });
    end[region] += aligned(spec.bytes, graph.alignment);
    return buffers.length - 1;
  };
  const ids = new Map<number, number>();
  const place = (read: boolean) => (id: number) => {
    if (!ids.has(id)) {
      const { name, shape, dtype, layout, bytes } = graph.tensors.get(id)!;
      ids.set(id, add({ name, shape, dtype, layout, bytes }, read));
    }
    return ids.get(id)!;
  };
  const inputs = node.inputs.map(place(true));
  const outputs = node.outputs.map(place(false));
  const bytes = node.scratchBytes;
  const scratch =
    bytes === 0
      ? -1
      : add({ name: "scratch", shape: [bytes], dtype: "u8", layout: "opaque", bytes }, false);
  const { op, layer, attributes, implementation } = node;
  const kind = op as InstructionKind;
  const program: Program = {
    name: "isolated",
    buffers,
    instructions: [{ kind, layer, inputs, outputs, scratch, attributes, implementation }],
    scalars: ["seed", "update"],
    outputs: {},
    batch: graph.batch,
  };
  return { program, ...end };
}

/**
 * Zeros would be kinder to the processor than a training step is. Both halves of a number have its sign,
 * exponent and first digits, so that read as two of bf16 it is noise as well.
 */
async function fillWithNoise(session: Session, bytes: number): Promise<void> {
  const elements = Math.floor(bytes / 4);
  if (elements === 0) return;
  const values = new Float32Array(elements);
  const stream = randomStream(0, "synthetic");
  const drawn = Math.min(elements, 1 << 16);
  for (let i = 0; i < drawn; i++) values[i] = stream.uniform() * 2 - 1;
  const words = new Uint32Array(values.buffer, 0, drawn);
  for (let i = 0; i < drawn; i++) words[i] = (words[i]! & 0xffff0000) | (words[i]! >>> 16);
  for (let done = drawn; done < elements; done *= 2) values.copyWithin(done, 0, done);
  await session.write(
    {
      id: 0,
      name: "noise",
      shape: [elements],
      dtype: "f32",
      layout: "a",
      bytes: elements * 4,
      region: "arena",
      offset: 0,
    },
    values,
  );
}
