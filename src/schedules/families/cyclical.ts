/** @file The triangular policy with an amplitude by a function of one's own. */

import { ArgumentError } from "../../core/errors.ts";
import { checkChoice } from "../combine/shape.ts";
import { defineSchedule, type Schedule } from "../schedule.ts";
import { type TriangularOptions, triangle } from "./triangle.ts";

const SCALE_BY = ["cycle", "update"] as const;

export interface CyclicalOptions extends TriangularOptions {
  /** What the amplitude is multiplied by; 0 or more, so that rates stay so. */
  readonly scale: (x: number) => number;
  /** What `scale` is given: the cycle, from 1 (the default), or the update, from 0. */
  readonly scaleBy?: (typeof SCALE_BY)[number];
}

/**
 * As `triangular`, the distance from `base` to the peak multiplied by a function:
 *
 *   lr = base + (max - base) height(t) scale(cycle)      or  scale(t)
 *
 * scale_fn with scale_mode "cycle" or "iterations" of torch.optim.lr_scheduler.CyclicLR (PyTorch
 * 1.13) and of Keras's CLR callback.
 *
 * JSON cannot hold a function: toJSON() throws, and the lab, which records what it does, refuses
 * such a schedule at its start. It serves other trainers, and the writing of one's own family
 * (`defineSchedule`).
 * @throws ArgumentError as triangular does; if scale is no function; if scaleBy is another word.
 */
export function cyclical(options: CyclicalOptions): Schedule {
  const { base, max, scale, scaleBy = "cycle" } = options;
  const { height, completed, cycleEnd, nextTurn } = triangle("cyclical", options);
  checkChoice("cyclical", "scaleBy", scaleBy, SCALE_BY);
  if (typeof scale !== "function")
    throw new ArgumentError(`cyclical: scale must be a function; got ${JSON.stringify(scale)}`);
  return defineSchedule(
    scaleBy === "cycle"
      ? (t) => base + (max - base) * height(t) * scale(completed(t) + 1)
      : (t) => base + (max - base) * height(t) * scale(t),
    () => {
      throw new ArgumentError(
        "cyclical: cannot be written as JSON, as scale is a function. Use triangular, triangular2 " +
          "or expRange where one of them will do, or piecewise for the rates that you have in mind",
      );
    },
    // By the update, the function may turn anywhere.
    { cycleEnd, ...(scaleBy === "cycle" ? { nextTurn } : {}) },
  );
}
