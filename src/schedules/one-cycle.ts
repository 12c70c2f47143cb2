/** @file The one-cycle policy: up to a large rate, then down far below where it began. */

import { checkPositive, checkPositiveInteger } from "../core/checks.ts";
import { ArgumentError } from "../core/errors.ts";
import { defineSchedule, type Schedule } from "./schedule.ts";

export interface OneCycleOptions {
  /** The greatest rate. */
  readonly max: number;
  /** Length of the whole run, in updates. */
  readonly steps: number;
  /** Part of the run that the rise takes, in (0, 1); default 0.3. */
  readonly riseFraction?: number;
  /** The first update's rate is max / startDivisor; default 25. */
  readonly startDivisor?: number;
  /** The last update's rate is the first's / endDivisor; default 1e4. */
  readonly endDivisor?: number;
}

/**
 * Half a cosine up to `max`, which it reaches at update `riseFraction * steps - 1`, then half a
 * cosine down to the last update, `steps - 1`, then flat.
 *
 * Defaults and phase ends are those of torch.optim.lr_scheduler.OneCycleLR (PyTorch 2.x, two
 * phases, anneal_strategy "cos"), which refuses to go on where this stays flat. Idea: Smith and
 * Topin, "Super-Convergence"; arxiv.org/abs/1708.07120.
 * @throws ArgumentError if a number is outside its domain, or the rise is shorter than two updates.
 */
export function oneCycle({
  max,
  steps,
  riseFraction = 0.3,
  startDivisor = 25,
  endDivisor = 1e4,
}: OneCycleOptions): Schedule {
  checkPositive("oneCycle", "max", max);
  checkPositiveInteger("oneCycle", "steps", steps);
  checkPositive("oneCycle", "startDivisor", startDivisor);
  checkPositive("oneCycle", "endDivisor", endDivisor);
  if (!(riseFraction > 0 && riseFraction < 1))
    throw new ArgumentError(`oneCycle: riseFraction must be between 0 and 1; got ${riseFraction}`);
  const peak = riseFraction * steps - 1;
  if (peak <= 0)
    throw new ArgumentError(
      `oneCycle: the rise must take more than one update; got ${riseFraction} of ${steps}. ` +
        "Raise steps or riseFraction",
    );
  const start = max / startDivisor;
  const end = start / endDivisor;
  const last = steps - 1;
  return defineSchedule(
    (t) =>
      t <= peak
        ? halfCosine(start, max, t / peak)
        : halfCosine(max, end, Math.min((t - peak) / (last - peak), 1)),
    { type: "oneCycle", max, steps, riseFraction, startDivisor, endDivisor },
  );
}

const halfCosine = (from: number, to: number, done: number) =>
  to + ((from - to) * (1 + Math.cos(Math.PI * done))) / 2;
