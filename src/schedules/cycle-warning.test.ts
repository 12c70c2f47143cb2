/** @file Cycles and the length of a run: what is said where they do not fit, and that the remedy fits. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cycleWarning } from "./cycle-warning.ts";
import {
  clip,
  constant,
  cosineDecay,
  cosineRestarts,
  snapCycles,
  triangular,
  triangular2,
} from "./index.ts";

const clr = (stepSize: number) => triangular({ base: 0.01, max: 0.06, stepSize });
const over = (epochs: number, updatesPerEpoch = 7) => ({
  updates: epochs * updatesPerEpoch,
  updatesPerEpoch,
});

test("half a cycle that is longer than the run", () => {
  expect(cycleWarning(clr(28), over(3))).toBe(
    "half a cycle takes 4 epochs, and the run has 3: the greatest rate is never reached; --step-size 1.5e makes 1 cycle of it, and --snap-cycles stretches the cycle to fit",
  );
  expect(cycleWarning(triangular2({ base: 0.01, max: 0.06, stepSize: 28 }), over(4))).toContain(
    "half a cycle takes 4 epochs, and the run has 4",
  );
});

test("a run that ends within a cycle", () => {
  expect(cycleWarning(clr(28), over(10))).toBe(
    "1 cycle takes 8 epochs, and the run has 10: it does not end with a cycle, at the least rate; --step-size 5e makes 1 cycle of it, and --snap-cycles stretches the cycle to fit",
  );
  expect(cycleWarning(clr(28), over(30))).toContain("--step-size 3.75e makes 4 cycles of it");
  // Half an epoch of seven updates is no whole number of them, and a third of 20 epochs no round one.
  expect(cycleWarning(clr(21), over(20))).toContain("--step-size 23 makes 3 cycles of it");
});

test("restarts: the cycles are stretched, as their growth has no flag", () => {
  const restarts = cosineRestarts({ peak: 0.1, cycleSteps: 30 });
  expect(cycleWarning(restarts, over(7))).toBe(
    "2 cycles take 8.57 epochs, and the run has 7: it does not end with a cycle, at the least rate; --snap-cycles stretches the cycles to fit",
  );
});

describe("nothing is said of", () => {
  test.each([
    ["a constant rate", constant(0.1)],
    ["a decay", cosineDecay({ peak: 0.1, steps: 9 })],
    ["whole cycles", clr(7)],
    [
      "a rounded half cycle, off by an update a cycle",
      triangular({ base: 0.01, max: 0.06, stepSize: 8 }),
    ],
    ["cycles that were stretched", snapCycles(clr(9), 112)],
    ["whole cycles within a lid", clip(clr(14), { max: 0.05 })],
  ])("%s", (_name, schedule) => expect(cycleWarning(schedule, over(16))).toBeNull());
});

test("whatever is proposed fits", () =>
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 400 }),
      fc.integer({ min: 4, max: 60 }),
      fc.integer({ min: 1, max: 90 }),
      (stepSize, epochs, updatesPerEpoch) => {
        const run = over(epochs, updatesPerEpoch);
        const [, size, unit] =
          /--step-size ([\d.]+)(e?) /.exec(cycleWarning(clr(stepSize), run) ?? "") ?? [];
        if (size === undefined) return;
        const updates = Number(size) * (unit === "e" ? updatesPerEpoch : 1);
        expect(cycleWarning(clr(Math.max(1, Math.round(updates))), run)).toBeNull();
      },
    ),
  ));
