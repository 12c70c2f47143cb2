/** @file What cyclical schedules share: bounds, the two parts of a cycle, and where in it an update lies. */

import { checkNonNegative, checkPositive, checkPositiveInteger } from "../../core/checks.ts";
import { ArgumentError } from "../../core/errors.ts";
import { everyRound, turnsAt } from "../turns.ts";

export interface TriangularOptions {
  /** Rate at the start of a cycle, its least. */
  readonly base: number;
  /** Rate at the peak of a cycle, its greatest. */
  readonly max: number;
  /** Updates from base up to max. Half a cycle, unless stepDown says otherwise. */
  readonly stepSize: number;
  /** Updates from max down to base; default stepSize. */
  readonly stepDown?: number;
}

export interface Triangle {
  /** Updates of a whole cycle. */
  readonly length: number;
  /** 0 at the start of a cycle, 1 at its peak. */
  height(t: number): number;
  /** Cycles completed before update t. */
  completed(t: number): number;
  /** Update at which the n-th cycle ends, n from 1. */
  readonly cycleEnd: (n: number) => number;
  /** Where it turns: at the peak and the end of each cycle. */
  readonly nextTurn: (t: number) => number;
  /** The same, and so many updates after each start, where that is on the rise. */
  turnsWith(sooner: number): (t: number) => number;
  /** The fields of a specification; stepDown only where it differs. */
  readonly fields: TriangularOptions;
}

/** @throws ArgumentError if base is negative or above max, max not above 0, or a length not a positive integer. */
export function triangle(subject: string, options: TriangularOptions): Triangle {
  const { base, max, stepSize, stepDown = stepSize } = options;
  checkNonNegative(subject, "base", base);
  checkPositive(subject, "max", max);
  checkPositiveInteger(subject, "stepSize", stepSize);
  checkPositiveInteger(subject, "stepDown", stepDown);
  if (base > max)
    throw new ArgumentError(`${subject}: base must not be above max; got base ${base}, max ${max}`);
  const length = stepSize + stepDown;
  const turnsWith = (sooner: number) => {
    const within = sooner > 0 && sooner < stepSize ? [sooner, stepSize] : [stepSize];
    return everyRound(length, turnsAt(within));
  };
  return {
    length,
    // By remainder, not by the published 1 + t / T - floor(1 + t / T), which loses digits as t grows.
    height(t) {
      const within = t % length;
      return within <= stepSize ? within / stepSize : (length - within) / stepDown;
    },
    completed: (t) => Math.floor(t / length),
    cycleEnd: (n) => n * length,
    nextTurn: turnsWith(0),
    turnsWith,
    fields: { base, max, stepSize, ...(stepDown === stepSize ? {} : { stepDown }) },
  };
}
