/** @file A schedule in a few words, for tables and captions. */

import type { ScheduleSpec } from "./schedule.ts";

const rate = (value: unknown) => (typeof value === "number" ? formatRate(value) : "?");

/** A rate in three significant digits: "0.0123", "1.00e-3" as "1e-3", "2.05e-4". */
export function formatRate(value: number): string {
  if (value === 0) return "0";
  if (Math.abs(value) >= 0.01 && Math.abs(value) < 1000)
    return String(Number(value.toPrecision(3)));
  const [digits = "", exponent = "0"] = value.toExponential(2).split("e");
  return `${Number(digits)}e${Number(exponent)}`;
}

/** "triangular, 2e-3 to 0.012, step size 216 updates"; an unknown type is named as it is. */
export function describeSchedule(spec: ScheduleSpec): string {
  switch (spec.type) {
    case "constant":
      return `constant, ${rate(spec.rate)}`;
    case "triangular":
      return `triangular, ${rate(spec.base)} to ${rate(spec.max)}, step size ${spec.stepSize} updates`;
    case "cosineDecay":
      return `cosine, ${rate(spec.peak)} to ${rate(spec.floor ?? 0)} over ${spec.steps} updates`;
    case "linearRamp":
      return `linear, ${rate(spec.from)} to ${rate(spec.to)} over ${spec.steps} updates`;
    case "oneCycle":
      return `one cycle, up to ${rate(spec.max)}, over ${spec.steps} updates`;
    case "sequence":
      return Array.isArray(spec.parts)
        ? spec.parts.map((part) => describeSchedule(part.schedule)).join("; then ")
        : spec.type;
    default:
      return spec.type;
  }
}
