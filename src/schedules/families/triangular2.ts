/** @file The triangular policy whose amplitude halves after each cycle. */

import { defineSchedule, type Schedule } from "../schedule.ts";
import { type TriangularOptions, triangle } from "./triangle.ts";

/**
 * As `triangular`, with the distance from `base` to the peak halved after each cycle:
 *
 *   lr = base + (max - base) height(t) / 2^(cycle - 1),   cycle = 1, 2, ...
 *
 * Source: L. N. Smith, "Cyclical Learning Rates for Training Neural Networks", WACV 2017, section
 * 3.1; mode "triangular2" of torch.optim.lr_scheduler.CyclicLR (PyTorch 1.13).
 * @throws ArgumentError as triangular does.
 */
export function triangular2(options: TriangularOptions): Schedule {
  const { base, max } = options;
  const { height, completed, cycleEnd, nextTurn, fields } = triangle("triangular2", options);
  return defineSchedule(
    (t) => base + (max - base) * height(t) * 2 ** -completed(t),
    { type: "triangular2", ...fields },
    { cycleEnd, nextTurn },
  );
}
