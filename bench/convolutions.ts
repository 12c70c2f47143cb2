/**
 * @file How long each convolution of a network takes, in each pass, by each implementation: in turns,
 * on a machine with nothing else to do. `npx jiti bench/convolutions.ts [MODEL [BATCH [SIZE]]]`,
 * by default the vanilla CNN, 64 and 128; ten times each, the least and the median printed.
 */

import { availableParallelism } from "node:os";
import { compileNetwork } from "../src/compile/index.ts";
import { nativeBackend } from "../src/engine/native/index.ts";
import { createModel } from "../src/models/index.ts";
import { createOptimizer } from "../src/optimizers/index.ts";
import type { LayoutRequest, LoadedProgram, Session } from "../src/program/index.ts";
import {
  type Case,
  type PreparedCase,
  prepareCase,
  uniformValues,
} from "../test/conformance/harness.ts";

const [model = "vanilla", batch = "64", size = "128"] = process.argv.slice(2);
const REPETITIONS = 10;
const threads = availableParallelism();
const backend = nativeBackend({ threads });

/** The network's convolutions in the training step, each shape and pass once. */
function convolutions(): LayoutRequest[] {
  const found = new Map<string, LayoutRequest>();
  compileNetwork({
    network: createModel(model, { classes: 5, channels: 3, size: Number(size) }),
    backend,
    batch: Number(batch),
    optimizer: createOptimizer("sgd"),
    threads,
    implementations(request) {
      const { kind, attributes, inputs, outputs } = request;
      const isTraining = inputs[0]!.shape[0] === Number(batch);
      const shapes = [...inputs, ...outputs].map(({ shape }) => shape);
      const key = JSON.stringify([kind, attributes.stride, shapes]);
      if (kind.startsWith("conv2d") && isTraining && !found.has(key)) found.set(key, request);
      return undefined;
    },
  });
  return [...found.values()];
}

/** The convolution alone, its activations in the layout that it wants for them. */
function alone(request: LayoutRequest, wanted: string): Promise<PreparedCase> {
  const { kind, attributes, inputs, outputs } = request;
  const named = (prefix: string, list: LayoutRequest["inputs"]) =>
    list.map(({ shape, layout }, i) => {
      // Images arrive as they are; what lies between layers is as the implementation likes it.
      const given = layout === "abcd" ? { layout } : {};
      const values = prefix === "in" ? { values: uniformValues(shape, i + 1) } : {};
      return [`${prefix}${i}`, { shape, ...given, ...values }] as const;
    });
  const [from, to] = [named("in", inputs), named("out", outputs)];
  const given: Case = {
    tensors: Object.fromEntries([...from, ...to]),
    steps: [
      {
        kind,
        attributes,
        wanted,
        inputs: from.map(([name]) => name),
        outputs: to.map(([name]) => name),
      },
    ],
  };
  return prepareCase(backend, given, threads);
}

/** Multiplications and additions of the definition, whatever the implementation does. */
function flops({ kind, inputs, outputs }: LayoutRequest): number {
  const shapes = [...inputs, ...outputs].map(({ shape }) => shape);
  const weight = shapes[kind === "conv2dBackwardWeights" ? 2 : 1]!;
  const y = shapes[kind === "conv2d" ? inputs.length : kind === "conv2dBackwardData" ? 0 : 1]!;
  return 2 * [...weight, y[0]!, y[2]!, y[3]!].reduce((product, extent) => product * extent, 1);
}

async function timeInTurns(request: LayoutRequest): Promise<void> {
  const sides: {
    readonly wanted: string;
    readonly session: Session;
    readonly index: number;
    readonly scratch: number;
    readonly loaded: LoadedProgram;
    readonly times: number[];
  }[] = [];
  for (const wanted of backend.implementations(request)) {
    const { program, session } = await alone(request, wanted);
    const index = program.instructions.findIndex(({ kind }) => kind === request.kind);
    const scratch = program.buffers[program.instructions[index]!.scratch]?.bytes ?? 0;
    const loaded = await session.load(program);
    sides.push({ wanted, session, index, scratch, loaded, times: [] });
  }
  const scalars = Float64Array.from([0, 0]);
  for (let round = -2; round < REPETITIONS; round++)
    for (const { loaded, index, times } of sides) {
      const profile = await loaded.profile({ slot: 0, scalars });
      if (round >= 0) times.push(profile[index]!);
    }
  const pass = { conv2d: "forward", conv2dBackwardData: "data", conv2dBackwardWeights: "weights" };
  const [first, second] = [...request.inputs, ...request.outputs].map(({ shape }) =>
    shape.join("x"),
  );
  for (const { wanted, session, scratch, times } of sides) {
    const sorted = times.sort((a, b) => a - b);
    const [least, median] = [sorted[0]!, sorted[REPETITIONS / 2]!];
    console.log(
      [
        request.layer.padEnd(24),
        pass[request.kind as keyof typeof pass].padEnd(8),
        `${first} ${second}`.padEnd(34),
        wanted.padEnd(14),
        `${least.toFixed(2).padStart(8)} ms`,
        `median ${median.toFixed(2).padStart(8)} ms`,
        `${(flops(request) / least / 1e6).toFixed(0).padStart(5)} GFLOP/s`,
        `scratch ${(scratch / 2 ** 20).toFixed(1)} MiB`,
      ].join("  "),
    );
    session.dispose();
  }
}

console.log(`${model}, batch ${batch}, ${size}x${size}; ${backend.description}`);
for (const request of convolutions()) await timeInTurns(request);
