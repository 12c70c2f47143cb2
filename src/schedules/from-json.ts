/** @file A schedule read back from its specification. */

import { ArgumentError } from "../core/errors.ts";
import { constant } from "./constant.ts";
import { cosineDecay } from "./cosine-decay.ts";
import { linearRamp } from "./linear-ramp.ts";
import { oneCycle } from "./one-cycle.ts";
import type { Schedule, ScheduleSpec } from "./schedule.ts";
import { type SequencePart, sequence } from "./sequence.ts";
import { triangular } from "./triangular.ts";

/** Reads the fields of one specification, and says which one is wrong. */
class Fields {
  readonly spec: ScheduleSpec;

  constructor(spec: ScheduleSpec) {
    this.spec = spec;
  }

  number(name: string): number {
    const value = this.spec[name];
    if (typeof value !== "number")
      throw new ArgumentError(
        `schedule "${this.spec.type}": ${name} must be a number; got ${JSON.stringify(value)}`,
      );
    return value;
  }

  optional<Name extends string>(...names: Name[]): { [key in Name]?: number } {
    const present = names.filter((name) => this.spec[name] !== undefined);
    return Object.fromEntries(present.map((name) => [name, this.number(name)])) as {
      [key in Name]?: number;
    };
  }

  parts(): SequencePart[] {
    const parts = this.spec.parts;
    if (!Array.isArray(parts))
      throw new ArgumentError(
        `schedule "sequence": parts must be a list; got ${JSON.stringify(parts)}`,
      );
    return parts.map((part: { steps: number; schedule: ScheduleSpec } | null) => [
      part?.steps ?? Number.NaN,
      scheduleFromJSON(part?.schedule as ScheduleSpec),
    ]);
  }
}

const families: Readonly<Record<string, (fields: Fields) => Schedule>> = {
  constant: (f) => constant(f.number("rate")),
  triangular: (f) =>
    triangular({ base: f.number("base"), max: f.number("max"), stepSize: f.number("stepSize") }),
  cosineDecay: (f) =>
    cosineDecay({ peak: f.number("peak"), steps: f.number("steps"), ...f.optional("floor") }),
  linearRamp: (f) =>
    linearRamp({ from: f.number("from"), to: f.number("to"), steps: f.number("steps") }),
  sequence: (f) => sequence(...f.parts()),
  oneCycle: (f) =>
    oneCycle({
      max: f.number("max"),
      steps: f.number("steps"),
      ...f.optional("riseFraction", "startDivisor", "endDivisor"),
    }),
};

/** Every `type` that scheduleFromJSON reads. */
export const scheduleTypes: readonly string[] = Object.keys(families);

/**
 * The schedule that a specification describes: the inverse of `schedule.toJSON()`.
 * @throws ArgumentError on an unknown type, a missing field, or a value outside its domain.
 */
export function scheduleFromJSON(spec: ScheduleSpec): Schedule {
  const type = spec?.type;
  if (typeof type !== "string" || !Object.hasOwn(families, type))
    throw new ArgumentError(
      `schedule: type must be one of ${scheduleTypes.join(", ")}; got ${JSON.stringify(type)}`,
    );
  return families[type]!(new Fields(spec));
}
