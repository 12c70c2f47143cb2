/** @file What the parity of whole models with torchvision's needs: weights by formula, and logits of a program. */

import { compileNetwork } from "../../src/compile/index.ts";
import { elementCount } from "../../src/core/shapes.ts";
import type { Network } from "../../src/ir/index.ts";
import { createOptimizer } from "../../src/optimizers/index.ts";
import type { Backend, Program } from "../../src/program/index.ts";
import { dyadic } from "./dyadic.ts";

/** A program that ends where its logits are known. */
export function logitsOf(program: Program, offset: number): Program {
  const end = program.instructions.findIndex(({ kind }) => kind.startsWith("softmax"));
  const logits = program.instructions[end]!.inputs[0]!;
  return {
    ...program,
    buffers: program.buffers.map((buffer) =>
      buffer.id === logits ? { ...buffer, region: "outputs", offset } : buffer,
    ),
    instructions: program.instructions.slice(0, end),
    outputs: { logits },
  };
}

export async function logits(options: {
  backend: Backend;
  network: Network;
  mode: "evaluate" | "train";
  values: ReadonlyMap<string, Float32Array | Float64Array>;
  images: ArrayLike<number>;
  batch: number;
  /** "direct" convolutions, or the rule table's own choice. */
  convolutions?: "direct";
}): Promise<Float32Array> {
  const { backend, network, mode, values, images, batch, convolutions } = options;
  const compiled = compileNetwork({
    network,
    backend,
    batch,
    optimizer: createOptimizer("sgd"),
    threads: 2,
    ...(convolutions && {
      implementations: ({ kind }) =>
        /^conv2d(BackwardData|BackwardWeights)?$/.test(kind) ? convolutions : undefined,
    }),
  });
  const { train, predict } = compiled.programs;
  const offset = Math.ceil(compiled.sessionOptions.outputBytes / 64) * 64;
  const program = logitsOf(mode === "train" ? train : predict, offset);
  const outputBytes = offset + 4 * batch * network.classes;
  const session = await backend.openSession({ ...compiled.sessionOptions, outputBytes });
  try {
    for (const { name, role, buffer } of compiled.tensors)
      if (role === "parameter" || role === "statistic")
        await session.write(buffer, values.get(name)!);
    session.images(0).set(images);
    session.labels(0).fill(0);
    const scalars = compiled.scalars({ seed: 0, update: 0 });
    const run = await (await session.load(program)).run({ slot: 0, scalars });
    return Float32Array.from(run.logits!);
  } finally {
    session.dispose();
  }
}

/** Largest difference over largest value. */
export function difference(actual: ArrayLike<number>, expected: readonly number[]): number {
  const largest = Math.max(...expected.map(Math.abs));
  return Math.max(...expected.map((value, i) => Math.abs(value - actual[i]!))) / largest;
}

/** As filling.py fills a model: salts count the tensors in the order of its state. */
export function valuesOf(network: Network): Map<string, Float32Array> {
  const tensors = network
    .build(1)
    .tensors.filter(({ role }) => role === "parameter" || role === "statistic");
  return new Map(
    tensors.map(({ name, shape }, salt) => {
      const count = elementCount(shape);
      const scale = Math.sqrt(3 / (count / shape[0]!));
      const isOne = name.endsWith("running_var") || (name.endsWith("weight") && shape.length === 1);
      const factor = shape.length > 1 ? scale : isOne ? 1 / 4 : 1 / 8;
      const offset = shape.length === 1 && isOne ? 1 : 0;
      const values = new Float32Array(count);
      for (let i = 0; i < count; i++) values[i] = offset + dyadic(i, salt) * factor;
      return [name, values];
    }),
  );
}
