import { expect, test } from "vitest";
import { benchStudy, jobCounts } from "./study.ts";

test.each([
  [1, [1]],
  [2, [1, 2]],
  [6, [1, 2, 4, 6]],
  [8, [1, 2, 4, 8]],
])("of %i cores there are so many arrangements", (cores, counts) => {
  expect(jobCounts(cores)).toEqual(counts);
});

test("a count below 1 is refused", async () => {
  await expect(benchStudy({ epochs: 0 })).rejects.toThrow(
    "bench study: epochs must be a positive integer; got 0",
  );
});

test("what it says follows from what it measured", async () => {
  const asked = { size: 16, batch: 5, images: 10, epochs: 1, threads: 1, repetitions: 1 };
  const record = await benchStudy(asked);
  const { repetitions: _, ...said } = asked;
  expect(record).toMatchObject({ ...said, model: "vanilla", arms: 6, seeds: 2, updates: 2 });
  expect(record.arrangements).toHaveLength(1);
  const [only] = record.arrangements;
  expect(only).toMatchObject({ jobs: 1, threads: 1, gain: 1 });
  // 12 runs of 2 updates.
  expect(only!.updatesPerSecond).toBeCloseTo(24_000 / only!.medianMs, 6);
  expect(only!.gbPerSecond).toBeCloseTo((only!.updatesPerSecond * record.bytesPerUpdate) / 1e9, 9);
  expect(record.bytesPerUpdate).toBeGreaterThan(0);
  expect(record.triadGBs).toBeGreaterThan(0);
});
