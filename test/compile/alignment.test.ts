/** @file Offsets are multiples of what the backend asks for, and change no bit. */

import { describe, expect, test } from "vitest";
import { type CompileOptions, compileNetwork } from "../../src/compile/index.ts";
import { referenceBackend } from "../../src/engine/reference/index.ts";
import { createOptimizer } from "../../src/optimizers/index.ts";
import { inTurn } from "./in-turn.ts";
import { littleNetwork, residualNetwork } from "./networks.ts";

const BATCH = 6;
const cases: readonly (readonly [string, Pick<CompileOptions, "network" | "optimizer">])[] = [
  ["adam", { network: littleNetwork(), optimizer: createOptimizer("adam") }],
  ["sam", { network: residualNetwork(), optimizer: createOptimizer("sam-sgd") }],
  [
    "muon, with memory of its own",
    { network: littleNetwork(), optimizer: createOptimizer("muon") },
  ],
];

/** Losses of some updates, then every tensor; and the programs. */
async function outcome(alignment: number, options: Pick<CompileOptions, "network" | "optimizer">) {
  const backend = referenceBackend({ alignment });
  const compiled = compileNetwork({ ...options, backend, batch: BATCH, slots: 1, threads: 1 });
  const session = await backend.openSession(compiled.sessionOptions);
  await compiled.initialize(session, 3);
  session.images(0).forEach((_, i, images) => {
    images[i] = Math.sin(i);
  });
  session.labels(0).set([0, 1, 2, 3, 0, 1]);
  const train = await session.load(compiled.programs.train);
  const losses: number[] = [];
  for (let update = 0; update < 2; update++) {
    const scalars = compiled.scalars({ seed: 3, update, learningRate: 0.01 });
    losses.push((await train.run({ slot: 0, scalars })).loss![0]!);
  }
  const { evaluate } = compiled.programs;
  const scalars = compiled.scalars({ seed: 3, update: 2 });
  losses.push((await (await session.load(evaluate)).run({ slot: 0, scalars })).loss![0]!);
  const tensors = await inTurn(compiled.tensors, ({ buffer }) => session.read(buffer));
  return { compiled, losses, tensors };
}

describe.each(cases)("%s", (_, options) => {
  test("at 256 bytes the same bits as at 64, and every offset a multiple", async () => {
    const [fine, coarse] = [await outcome(64, options), await outcome(256, options)];
    expect(coarse.losses).toEqual(fine.losses);
    expect(coarse.tensors).toEqual(fine.tensors);
    for (const [alignment, { compiled }] of [
      [64, fine],
      [256, coarse],
    ] as const) {
      const offsets = Object.values(compiled.programs).flatMap((program) =>
        (program?.buffers ?? []).map(({ offset }) => offset),
      );
      expect(offsets.filter((offset) => offset % alignment !== 0)).toEqual([]);
      const { persistentBytes, arenaBytes, outputBytes, imageBytes, labelBytes } =
        compiled.sessionOptions;
      for (const bytes of [persistentBytes, arenaBytes, outputBytes, imageBytes, labelBytes])
        expect(bytes % alignment).toBe(0);
    }
    // The constraint is one: packed for 64 bytes, something lies where 256 would not have it.
    const { buffers } = fine.compiled.programs.train;
    expect(buffers.some(({ offset }) => offset % 256 !== 0)).toBe(true);
  });
});

test("a program that was planned for less is refused when it is loaded", async () => {
  const options = { ...cases[0]![1], batch: BATCH, slots: 1, threads: 1 } as const;
  const compiled = compileNetwork({ ...options, backend: referenceBackend() });
  const session = await referenceBackend({ alignment: 256 }).openSession(compiled.sessionOptions);
  await expect(session.load(compiled.programs.train)).rejects.toThrow("no multiple of 256");
});

test.each([0, 32, 96, Number.NaN])("an alignment of %d is refused", (alignment) => {
  expect(() => referenceBackend({ alignment })).toThrow("must be a multiple of 64 bytes");
});
