/** @file The vanilla CNN, compiled for the reference backend, learns a few random images by heart. */

import { expect, test } from "vitest";
import { compileNetwork } from "../../src/compile/index.ts";
import { randomStream } from "../../src/core/random.ts";
import { referenceBackend } from "../../src/engine/reference/index.ts";
import { vanilla } from "../../src/models/index.ts";
import { adam } from "../../src/optimizers/index.ts";

test.each([
  ["f32", 0],
  ["f64", 0.3],
] as const)("in %s, with dropout %f", async (precision, dropout) => {
  const backend = referenceBackend({ precision });
  const compiled = compileNetwork({
    network: vanilla({ classes: 3, channels: 2, size: 8, widths: [6, 8], hidden: 24, dropout }),
    backend,
    batch: 9,
    optimizer: adam(),
    slots: 1,
    threads: 1,
  });
  const session = await backend.openSession(compiled.sessionOptions);
  await compiled.initialize(session, 0);
  const stream = randomStream(0, "synthetic");
  const images = session.images(0);
  for (let i = 0; i < images.length; i++) images[i] = 2 * stream.uniform() - 1;
  session.labels(0).set([0, 1, 2, 0, 1, 2, 0, 1, 2]);

  const train = await session.load(compiled.programs.train);
  const evaluate = await session.load(compiled.programs.evaluate);
  const predict = await session.load(compiled.programs.predict);
  const scalars = (update: number) => compiled.scalars({ seed: 0, update, learningRate: 0.01 });
  const before = await evaluate.run({ slot: 0, scalars: scalars(0) });
  expect(before.loss![0]).toBeGreaterThan(0.8);
  for (let update = 0; update < 80; update++) {
    const { loss } = await train.run({ slot: 0, scalars: scalars(update) });
    expect(Number.isFinite(loss![0])).toBe(true);
  }
  const after = await evaluate.run({ slot: 0, scalars: scalars(80) });
  expect(after.correct![0]).toBe(9);
  expect(after.loss![0]).toBeLessThan(0.1);

  const { probabilities } = await predict.run({ slot: 0, scalars: scalars(80) });
  for (let b = 0; b < 9; b++) {
    const row = probabilities!.slice(3 * b, 3 * b + 3);
    expect(row.indexOf(Math.max(...row))).toBe(b % 3);
    expect(row.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 6);
  }
});
