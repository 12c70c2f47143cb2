/**
 * @file Blocked layouts pad channels to 8 or 16. Padding must hold zeros whatever the optimizer
 * does, or it would leak into the next step's convolution. One state does not, and may: Adamax's
 * u = max(beta2 u, |g| + epsilon) is epsilon where nothing ever happens, in PyTorch too; nobody
 * reads it but the update, which divides m = 0 by it.
 */

import { describe, expect, test } from "vitest";
import { compileNetwork } from "../../src/compile/index.ts";
import { elementCount } from "../../src/core/shapes.ts";
import { vanilla } from "../../src/models/index.ts";
import { createOptimizer, optimizerNames, wrapperNames } from "../../src/optimizers/index.ts";
import type { BufferSpec } from "../../src/program/index.ts";
import { dyadic } from "./dyadic.ts";
import { nativeOrReason } from "./native-or-reason.ts";

const { native, reason } = nativeOrReason();

/** The buffer's bytes as a flat tensor: padding too. */
const flat = (buffer: BufferSpec): BufferSpec => ({
  ...buffer,
  shape: [buffer.bytes / 4],
  layout: "a",
});

const cases = [
  ["sgd", { momentum: 0.9, nesterov: 1, weightDecay: 0.1 }],
  ["adagrad", { weightDecay: 0.1, initialAccumulator: 0 }],
  ["adadelta", { weightDecay: 0.1 }],
  ["rmsprop", { weightDecay: 0.1, momentum: 0.9, centered: 1 }],
  ["adam", { weightDecay: 0.1 }],
  ["adamax", { weightDecay: 0.1 }],
  ["adamw", { amsgrad: 1 }],
  ["nadam", { weightDecay: 0.1 }],
  ["radam", { weightDecay: 0.1 }],
  ["lion", { weightDecay: 0.1 }],
  ["lars", {}],
  ["lamb", {}],
  ["adafactor", { weightDecay: 0.1 }],
  ["prodigy", { weightDecay: 0.1, initialD: 1e-3 }],
  ["schedule-free-sgd", { weightDecay: 0.1 }],
  ["schedule-free-adamw", { weightDecay: 0.1 }],
  ["muon", { weightDecay: 0.1 }],
  ["lookahead-adam", { lookaheadK: 2 }],
  ["sam-sgd", { momentum: 0.9 }],
] as const;

test("every optimizer and wrapper has a case", () => {
  const names = cases.map(([name]) => name);
  expect(
    [...optimizerNames, ...wrapperNames.map((name) => `${name}-`)].filter(
      (known) =>
        !names.some((name) => name === known || (known.endsWith("-") && name.startsWith(known))),
    ),
  ).toEqual([]);
});

describe.skipIf(!native)(`padding stays zero${reason}`, () => {
  test.each(cases)("%s", async (name, hyperparameters) => {
    const backend = native!();
    const compiled = compileNetwork({
      network: vanilla({ classes: 3, channels: 3, size: 16, widths: [5, 12, 20], hidden: 9 }),
      backend,
      batch: 4,
      optimizer: createOptimizer(name, hyperparameters as Record<string, number>),
      clip: 1,
      slots: 1,
      threads: 2,
    });
    const session = await backend.openSession(compiled.sessionOptions);
    await compiled.initialize(session, 1);
    session.labels(0).set([0, 1, 2, 0]);
    const program = await session.load(compiled.programs.train);
    for (let update = 0; update < 3; update++) {
      for (const [i] of session.images(0).entries()) session.images(0)[i] = dyadic(i, update);
      await program.run({
        slot: 0,
        scalars: compiled.scalars({ seed: 0, update, learningRate: 0.01 }),
      });
    }

    let padded = 0;
    for (const { buffer, role, name: tensor } of compiled.tensors) {
      const count = elementCount(buffer.shape);
      if (role === "constant" || buffer.bytes === 4 * count) continue;
      padded++;
      const after = await session.read(flat(buffer));
      // Where the elements are: everywhere that ones appear when the tensor is all ones.
      await session.write(flat(buffer), new Float32Array(buffer.bytes / 4));
      await session.write(buffer, new Float32Array(count).fill(1));
      const where = await session.read(flat(buffer));
      expect(where.filter((value) => value === 1)).toHaveLength(count);
      const padding = after.filter((_, i) => where[i] === 0);
      const rest = tensor.endsWith(":u") ? Math.fround(1e-8) : 0;
      expect(padding, tensor).toEqual(new Float32Array(buffer.bytes / 4 - count).fill(rest));
      expect(
        after.some((value) => value !== 0),
        tensor,
      ).toBe(true);
    }
    session.dispose();
    const blocked = compiled.tensors.some(({ buffer }) => /[A-D]/.test(buffer.layout));
    expect(padded > 0).toBe(blocked);
  });
});
