/** @file A schedule read back from its specification. */

import { ArgumentError } from "../../core/errors.ts";
import { shown } from "../../core/shown.ts";
import { clip } from "../combine/clip.ts";
import { holdAfter } from "../combine/hold-after.ts";
import { inverseMomentum } from "../combine/inverse-momentum.ts";
import { repeat } from "../combine/repeat.ts";
import { sequence } from "../combine/sequence.ts";
import { stretch } from "../combine/stretch.ts";
import { constant } from "../families/constant.ts";
import { cosineDecay } from "../families/cosine-decay.ts";
import { cosineRestarts } from "../families/cosine-restarts.ts";
import { expRange } from "../families/exp-range.ts";
import { exponential } from "../families/exponential.ts";
import { inverseSqrt } from "../families/inverse-sqrt.ts";
import { linearRamp } from "../families/linear-ramp.ts";
import { multiStep } from "../families/multi-step.ts";
import { oneCycle } from "../families/one-cycle.ts";
import { piecewise } from "../families/piecewise.ts";
import { polynomial } from "../families/polynomial.ts";
import { stepDecay } from "../families/step-decay.ts";
import { trapezoidal } from "../families/trapezoidal.ts";
import { triangular } from "../families/triangular.ts";
import { triangular2 } from "../families/triangular2.ts";
import { warmup } from "../families/warmup.ts";
import { checkNesting } from "../nesting.ts";
import type { Schedule, ScheduleSpec } from "../schedule.ts";
import { SpecFields } from "./spec-fields.ts";

const triangle = (f: SpecFields) => ({
  base: f.number("base"),
  max: f.number("max"),
  stepSize: f.number("stepSize"),
  ...f.numbers("stepDown"),
});

type Reader = (fields: SpecFields) => Schedule;

const families = {
  constant: (f) => constant(f.number("rate")),
  triangular: (f) => triangular(triangle(f)),
  triangular2: (f) => triangular2(triangle(f)),
  expRange: (f) => expRange({ ...triangle(f), gamma: f.number("gamma"), ...f.words("decay") }),
  oneCycle: (f) =>
    oneCycle({
      max: f.number("max"),
      steps: f.number("steps"),
      ...f.words("dialect"),
      ...f.numbers("riseFraction", "startDivisor", "endDivisor", "end"),
      ...(f.numbers("phases") as { phases?: 2 | 3 }),
      ...f.numbers("fallFraction"),
      ...f.words("anneal"),
    }),
  cosineDecay: (f) =>
    cosineDecay({ peak: f.number("peak"), steps: f.number("steps"), ...f.numbers("floor") }),
  cosineRestarts: (f) =>
    cosineRestarts({
      peak: f.number("peak"),
      cycleSteps: f.number("cycleSteps"),
      ...f.numbers("growth", "floor"),
    }),
  linearRamp: (f) =>
    linearRamp({ from: f.number("from"), to: f.number("to"), steps: f.number("steps") }),
  trapezoidal: (f) =>
    trapezoidal({
      peak: f.number("peak"),
      steps: f.number("steps"),
      decaySteps: f.number("decaySteps"),
      ...f.numbers("warmupSteps", "from", "floor"),
      ...f.words("decay"),
    }),
  inverseSqrt: (f) =>
    inverseSqrt({
      peak: f.number("peak"),
      warmupSteps: f.number("warmupSteps"),
      ...f.numbers("from"),
    }),
  polynomial: (f) =>
    polynomial({ from: f.number("from"), steps: f.number("steps"), ...f.numbers("to", "power") }),
  exponential: (f) =>
    exponential({ rate: f.number("rate"), factor: f.number("factor"), ...f.numbers("every") }),
  stepDecay: (f) =>
    stepDecay({ rate: f.number("rate"), every: f.number("every"), ...f.numbers("factor") }),
  multiStep: (f) =>
    multiStep({
      rate: f.number("rate"),
      milestones: f.list("milestones"),
      ...f.numbers("factor"),
    }),
  piecewise: (f) => piecewise({ points: f.pairs("points"), ...f.words("between") }),
  warmup: (f) =>
    warmup(f.schedule(), {
      steps: f.number("steps"),
      ...f.numbers("from"),
      ...f.words("shape"),
    }),
  sequence: (f) => sequence(...f.parts()),
  repeat: (f) => repeat(f.schedule(), { steps: f.number("steps"), ...f.numbers("times") }),
  stretch: (f) =>
    stretch(f.schedule(), { steps: f.number("steps"), to: f.number("to"), ...f.numbers("after") }),
  clip: (f) => clip(f.schedule(), f.numbers("min", "max")),
  inverseMomentum: (f) => inverseMomentum(f.schedule(), f.numbers("low", "high", "base", "max")),
  holdAfter: (f) => holdAfter(f.schedule(), { steps: f.number("steps") }),
} satisfies Readonly<Record<string, Reader>>;

/** One of `scheduleTypes`. */
export type ScheduleType = keyof typeof families;

/** Every `type` that scheduleFromJSON reads. */
export const scheduleTypes: readonly string[] = Object.keys(families);

/**
 * The schedule that a specification describes: the inverse of `schedule.toJSON()`.
 * @throws ArgumentError on an unknown type, a missing or unknown field, a value outside its domain, or
 * schedules within schedules more than 64 levels deep.
 */
export function scheduleFromJSON(spec: ScheduleSpec): Schedule {
  checkNesting(spec);
  return read(spec);
}

function read(spec: ScheduleSpec): Schedule {
  const type = spec?.type;
  if (type === "reduceOnPlateau")
    throw new ArgumentError(
      "schedule: reduceOnPlateau follows a metric and not the update count; call reduceOnPlateau " +
        "with its options, and step it with each metric",
    );
  const readers: Readonly<Record<string, Reader>> = families;
  const reader = typeof type === "string" && Object.hasOwn(readers, type) ? readers[type] : null;
  if (!reader)
    throw new ArgumentError(
      `schedule: type must be one of ${scheduleTypes.join(", ")}; got ${shown(type)}`,
    );
  const fields = new SpecFields(spec, read);
  const schedule = reader(fields);
  fields.refuseOthers();
  return schedule;
}
