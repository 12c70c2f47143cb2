/** @file The triangular policy of cyclical learning rates. */

import { defineSchedule, type Schedule } from "../schedule.ts";
import { type TriangularOptions, triangle } from "./triangle.ts";

export type { TriangularOptions } from "./triangle.ts";

/**
 * Linear from `base` up to `max` over `stepSize` updates, down again over `stepDown`, and so on.
 * Where the two are equal:
 *
 *   cycle = floor(1 + t / (2 stepSize))     x = |t / stepSize - 2 cycle + 1|
 *   lr = base + (max - base) max(0, 1 - x)
 *
 * Source: L. N. Smith, "Cyclical Learning Rates for Training Neural Networks", WACV 2017, the
 * listing of section 3.1; arxiv.org/abs/1506.01186. Unequal parts as step_size_up and
 * step_size_down of torch.optim.lr_scheduler.CyclicLR (PyTorch 1.13).
 * @throws ArgumentError if base is negative, max is not above 0 or below base, or a length is not a
 * positive integer.
 */
export function triangular(options: TriangularOptions): Schedule {
  const { base, max } = options;
  const { height, cycleEnd, nextTurn, fields } = triangle("triangular", options);
  return defineSchedule(
    (t) => base + (max - base) * height(t),
    { type: "triangular", ...fields },
    { cycleEnd, nextTurn },
  );
}
