import { expect, test } from "vitest";
import type { StudyEvent } from "../record/index.ts";
import { rampsUnderWay } from "./ramps-under-way.ts";

const started = (arm: string, seed: number): StudyEvent => ({
  ...{ formatVersion: 1, type: "range-test-started", arm, seed, updates: 3 },
});
const update = (arm: string, seed: number, at: number): StudyEvent => ({
  ...{ formatVersion: 1, type: "range-test-update", arm, seed, update: at, updates: 3 },
  ...{ lr: 0.01 * at, loss: 1, smoothedLoss: 1, imagesPerSecond: 9, secondsLeft: 1 },
});
const whole = (arm: string, seed: number): StudyEvent => ({
  ...{ formatVersion: 1, type: "range-test-run", arm, run: { seed, points: [] }, seconds: 1 },
});

test("a ramp is told from its beginning until it is whole", () => {
  const ramps = rampsUnderWay();
  const told = [started("sgd", 0), update("sgd", 0, 1), started("sgd", 1), update("sgd", 0, 2)];
  for (const event of told) ramps.hear("a", event);
  expect(ramps.of("a")).toEqual([told[0], told[1], told[3], told[2]]);
  expect(ramps.of("b")).toEqual([]);
  ramps.hear("a", whole("sgd", 0));
  expect(ramps.of("a")).toEqual([told[2]]);
  ramps.hear("a", whole("sgd", 1));
  expect(ramps.of("a")).toEqual([]);
});

test("a ramp that is begun again is told from there; one that nobody began is not told", () => {
  const ramps = rampsUnderWay();
  ramps.hear("a", update("sgd", 0, 1));
  expect(ramps.of("a")).toEqual([]);
  for (const event of [started("sgd", 0), update("sgd", 0, 1), started("sgd", 0)])
    ramps.hear("a", event);
  expect(ramps.of("a")).toEqual([started("sgd", 0)]);
});
