/** @file A warm-up before any schedule. */

import { checkNonNegative, checkPositiveInteger } from "../../core/checks.ts";
import { ArgumentError } from "../../core/errors.ts";
import { checkChoice, geometric, halfCosine, line } from "../combine/shape.ts";
import { defineSchedule, type Schedule } from "../schedule.ts";

const SHAPES = { linear: line, exponential: geometric, cosine: halfCosine } as const;

export interface WarmupOptions {
  /** Length of the warm-up, in updates. */
  readonly steps: number;
  /** Rate of the first update; default 0. Above 0 where the shape is exponential. */
  readonly from?: number;
  /** Default "linear". */
  readonly shape?: keyof typeof SHAPES;
}

/**
 * From `from` to the schedule's first rate over `steps` updates, then the schedule, its own update 0
 * at update `steps`. With `peak = schedule(0)` and `p = t / steps`, for t < steps:
 *
 *   linear:       from + (peak - from) p
 *   exponential:  from (peak / from)^p
 *   cosine:       peak + (from - peak) (1 + cos(pi p)) / 2
 *
 * Source: Goyal et al., "Accurate, Large Minibatch SGD", section 2.2 (linear);
 * arxiv.org/abs/1706.02677. Linear before a cosine is optax's warmup_cosine_decay_schedule, and
 * torch's SequentialLR of LinearLR and another.
 * @throws ArgumentError if steps is not a positive integer, from is negative, the shape is another
 * word, or is exponential and from, or the schedule's first rate, is 0.
 */
export function warmup(schedule: Schedule, options: WarmupOptions): Schedule {
  const { steps, from = 0, shape = "linear" } = options;
  checkPositiveInteger("warmup", "steps", steps);
  checkNonNegative("warmup", "from", from);
  checkChoice("warmup", "shape", shape, Object.keys(SHAPES) as (keyof typeof SHAPES)[]);
  const peak = schedule(0);
  if (shape === "exponential" && !(from > 0 && peak > 0))
    throw new ArgumentError(
      `warmup: an exponential one needs rates above 0 at both ends; got from ${from}, to ${peak}`,
    );
  const form = SHAPES[shape];
  const { nextTurn } = schedule;
  return defineSchedule(
    (t) => (t < steps ? form(from, peak, t / steps) : schedule(t - steps)),
    () => ({ type: "warmup", steps, from, shape, schedule: schedule.toJSON() }),
    {
      steps: steps + schedule.steps,
      nextTurn: nextTurn && ((t) => (t < steps ? steps : steps + nextTurn(t - steps))),
      of: [schedule],
    },
  );
}
