/** @file Schedules as people write them on a command line: "triangular:base=1e-4,max=1e-2,step=216". */

import { ArgumentError } from "../core/errors.ts";
import type { Schedule, ScheduleSpec } from "../schedules/index.ts";
import { nearest } from "./nearest.ts";

/** Short words for the families' own. */
const TYPES: Readonly<Record<string, string>> = {
  clr: "triangular",
  cosine: "cosineDecay",
  linear: "linearRamp",
  "1cycle": "oneCycle",
};
const KEYS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  constant: { lr: "rate" },
  triangular: { step: "stepSize" },
};

/** @throws ArgumentError naming the part that is wrong, and the nearest known word */
export async function parseScheduleSpec(text: string): Promise<Schedule> {
  const { scheduleFromJSON, scheduleTypes } = await import("../schedules/index.ts");
  const spec = text.trimStart().startsWith("{") ? fromJSON(text) : fromWords(text);
  const known = [...scheduleTypes, ...Object.keys(TYPES)];
  if (!scheduleTypes.includes(spec.type)) {
    const meant = nearest(spec.type, known);
    throw new ArgumentError(
      `schedule: unknown type "${spec.type}"${meant ? `; did you mean "${meant}"?` : ""} Types: ${known.join(", ")}`,
    );
  }
  const schedule = scheduleFromJSON(spec);
  // A family reads its own fields; one that it did not take up is a slip of the pen.
  const taken = Object.keys(schedule.toJSON());
  const unknown = Object.keys(spec).find((key) => !taken.includes(key));
  if (unknown !== undefined)
    throw new ArgumentError(
      `schedule: "${spec.type}" has no "${unknown}"; it has ${taken.filter((key) => key !== "type").join(", ")}`,
    );
  return schedule;
}

function fromJSON(text: string): ScheduleSpec {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ArgumentError(`schedule: SPEC is not JSON: ${(error as Error).message}`);
  }
  if (typeof (value as ScheduleSpec).type !== "string")
    throw new ArgumentError(
      'schedule: the JSON of a schedule must have a "type", as in {"type":"constant","rate":1e-3}',
    );
  return value as ScheduleSpec;
}

function fromWords(text: string): ScheduleSpec {
  const [word = "", ...rest] = text.split(":");
  const type = TYPES[word.trim()] ?? word.trim();
  const spec: ScheduleSpec = { type };
  for (const part of rest
    .join(":")
    .split(",")
    .filter((item) => item.trim() !== "")) {
    const [key = "", ...values] = part.split("=").map((item) => item.trim());
    const value = Number(values.join("="));
    if (values.length === 0 || values[0] === "" || !Number.isFinite(value))
      throw new ArgumentError(
        `schedule: "${part.trim()}" must be KEY=NUMBER, as in triangular:base=1e-4,max=1e-2,step=216`,
      );
    const name = KEYS[type]?.[key] ?? key;
    if (name in spec) throw new ArgumentError(`schedule: "${key}" is given twice; give it once`);
    spec[name] = value;
  }
  return spec;
}

/** The schedule's own length; two cycles of a cyclical one; else 100 updates. */
export function updatesToDraw(spec: ScheduleSpec): number {
  if (typeof spec.stepSize === "number") return 4 * spec.stepSize + 1;
  if (typeof spec.steps === "number") return spec.steps;
  if (Array.isArray(spec.parts))
    return spec.parts.reduce((sum: number, part: { steps: number }) => sum + part.steps, 0);
  return 100;
}
