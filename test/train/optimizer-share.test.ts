/** @file The optimizer's share of a step: what a trial records, and that measuring it changes nothing. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Dataset } from "../../src/data/types.ts";
import { openDataset } from "../../src/datasets/open.ts";
import { nativeBackend } from "../../src/engine/native/index.ts";
import { vanilla } from "../../src/models/index.ts";
import { adam, sgd } from "../../src/optimizers/index.ts";
import type { LoadedProgram } from "../../src/program/index.ts";
import { trialRecord } from "../../src/record/index.ts";
import { fit } from "../../src/train/fit.ts";
import { optimizerShare } from "../../src/train/optimizer-share.ts";
import { openTrainer } from "../../src/train/trainer.ts";
import { engineAbsent } from "../cli/temporary.ts";

/** A loaded program that takes the given milliseconds, one row a profile. */
function profiled(kinds: readonly string[], rows: readonly (readonly number[])[]): LoadedProgram {
  let next = 0;
  return {
    program: { instructions: kinds.map((kind) => ({ kind })) },
    profile: async () => Float64Array.from(rows[next++]!),
  } as unknown as LoadedProgram;
}
const options = { slot: 0, scalars: new Float64Array() };

test("the median of the optimizer's part of each profile", async () => {
  const loaded = profiled(
    ["conv2d", "optimizer", "relu"],
    [
      [3, 1, 0], // a quarter
      [1, 8, 1], // disturbed: 0.8
      [6, 2, 2], // a fifth
    ],
  );
  expect(await optimizerShare(loaded, options)).toBe(0.25);
});

test("times that are all zero say nothing", async () => {
  const rows = [
    [0, 0],
    [0, 0],
    [0, 0],
  ];
  expect(await optimizerShare(profiled(["conv2d", "optimizer"], rows), options)).toBeNull();
});

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  let folder: string;
  let dataset: Dataset;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "lrscope-share-"));
    dataset = await openDataset("synthetic", { size: 16, cacheDir: folder, threads: 1 });
  });
  afterAll(() => {
    dataset.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const setup = () => ({
    dataset,
    network: vanilla({ classes: 4, channels: 3, size: 16, widths: [4, 8], hidden: 16 }),
    backend: nativeBackend({ threads: 1 }),
    threads: 1,
    batch: 32,
  });

  test("measuring leaves parameters, statistics and state as they were, to the bit", async () => {
    const trainer = await openTrainer(setup(), adam(), 3);
    try {
      await trainer.trainEpoch({
        epoch: 1,
        learningRate: () => 1e-3,
        onUpdate: () => true,
      });
      const before = await trainer.read({ state: true });
      const share = await trainer.optimizerShare();
      expect(share).toBeGreaterThan(0);
      expect(share).toBeLessThan(1);
      expect(await trainer.read({ state: true })).toEqual(before);
    } finally {
      trainer.dispose();
    }
  });

  test("a finished trial records it, a diverged one does not", async () => {
    const done = await fit({ ...setup(), optimizer: sgd(), epochs: 1 });
    expect(trialRecord.parse(done.trial).optimizerShare).toBeGreaterThan(0);
    const diverged = await fit({ ...setup(), optimizer: sgd({ learningRate: 1e38 }), epochs: 1 });
    expect(diverged.trial.optimizerShare).toBeUndefined();
  });
});
