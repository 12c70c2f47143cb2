/** @file A schedule in a few words, for tables and captions. */

import { checkNesting } from "../nesting.ts";
import type { ScheduleSpec } from "../schedule.ts";
import type { ScheduleType } from "./from-json.ts";

const rate = (value: unknown) => (typeof value === "number" ? formatRate(value) : "?");

/** A rate in three significant digits: "0.0123", "1.00e-3" as "1e-3", "2.05e-4". */
export function formatRate(value: number): string {
  if (value === 0) return "0";
  if (Math.abs(value) >= 0.01 && Math.abs(value) < 1000)
    return String(Number(value.toPrecision(3)));
  const [digits = "", exponent = "0"] = value.toExponential(2).split("e");
  return `${Number(digits)}e${Number(exponent)}`;
}

/** Of every type that is read back, and of reductions on plateaus, which follow a metric. */
const words: Readonly<Record<ScheduleType | "reduceOnPlateau", (s: ScheduleSpec) => string>> = {
  constant: (s) => `constant, ${rate(s.rate)}`,
  triangular: (s) => `triangular, ${triangle(s)}`,
  triangular2: (s) => `triangular2 (amplitude halves each cycle), ${triangle(s)}`,
  expRange: (s) =>
    `exp_range, ${triangle(s)}, ${s.decay === "bounds" ? "both bounds" : "amplitude"} times ${s.gamma} each update`,
  oneCycle: (s) =>
    `one cycle, up to ${rate(s.max)}, over ${s.steps} updates${
      s.phases === 3 ? ", three phases" : ""
    }${s.anneal === "linear" ? ", linear" : ""}${s.dialect ? `, as in ${s.dialect}` : ""}`,
  cosineDecay: (s) => `cosine, ${span(s.peak, s.floor)} over ${s.steps} updates`,
  cosineRestarts: (s) =>
    `cosine with restarts, ${span(s.peak, s.floor)}, first cycle ${s.cycleSteps} updates${
      s.growth === undefined || s.growth === 1 ? "" : `, each ${s.growth} times as long`
    }`,
  linearRamp: (s) => `linear, ${span(s.from, s.to)} over ${s.steps} updates`,
  trapezoidal: (s) =>
    `trapezoidal, ${rate(s.peak)} over ${s.steps} updates: warm-up ${s.warmupSteps ?? 0}, ${
      s.decay === "sqrt" ? "1-sqrt" : "linear"
    } decay ${s.decaySteps}${s.floor ? ` to ${rate(s.floor)}` : ""}`,
  inverseSqrt: (s) => `inverse square root, up to ${rate(s.peak)} at update ${s.warmupSteps}`,
  polynomial: (s) =>
    `polynomial of power ${s.power ?? 1}, ${span(s.from, s.to)} over ${s.steps} updates`,
  exponential: (s) =>
    `exponential, ${rate(s.rate)} times ${s.factor} ${s.every === undefined || s.every === 1 ? "each update" : `over each ${s.every} updates`}`,
  stepDecay: (s) => `step, ${rate(s.rate)} times ${s.factor ?? 0.1} every ${s.every} updates`,
  multiStep: (s) =>
    `multi-step, ${rate(s.rate)} times ${s.factor ?? 0.1} at updates ${told(list(s.milestones).map(String))}`,
  piecewise: (s) =>
    `piecewise${s.between === undefined || s.between === "hold" ? "" : ` ${s.between}`}, ${told(
      list(s.points).map((point) =>
        Array.isArray(point) ? `${rate(point[1])} at ${point[0]}` : "?",
      ),
    )}`,
  warmup: (s) =>
    `${s.shape ?? "linear"} warm-up from ${rate(s.from ?? 0)} over ${s.steps} updates; then ${inner(s)}`,
  sequence: (s) =>
    Array.isArray(s.parts)
      ? s.parts
          .map(
            (part) =>
              `${inWords(part?.schedule)}${part?.from ? `, from its update ${part.from}` : ""}`,
          )
          .join("; then ")
      : s.type,
  repeat: (s) =>
    `${inner(s)}; its first ${s.steps} updates ${s.times === undefined ? "again and again" : `${s.times} times`}`,
  stretch: (s) =>
    `${inner(s)}; ${s.steps} updates of it stretched to ${s.to}${s.after ? ` after update ${s.after}` : ""}`,
  clip: (s) =>
    `${inner(s)}; ${[
      s.min === undefined ? [] : [`no less than ${rate(s.min)}`],
      s.max === undefined ? [] : [`no more than ${rate(s.max)}`],
    ]
      .flat()
      .join(", ")}`,
  inverseMomentum: (s) =>
    `from ${rate(s.high)} down to ${rate(s.low)} as the rate rises: ${inner(s)}`,
  reduceOnPlateau: (s) =>
    `from ${rate(s.rate)}, times ${s.factor ?? 0.1} after ${Number(s.patience ?? 10) + 1} epochs without improvement`,
  holdAfter: (s) => `${inner(s)}; flat after ${s.steps} updates`,
};

const triangle = (s: ScheduleSpec) =>
  s.stepDown === undefined
    ? `${span(s.base, s.max)}, step size ${s.stepSize} updates`
    : `${span(s.base, s.max)}, ${s.stepSize} updates up, ${s.stepDown} down`;
const span = (from: unknown, to: unknown) => `${rate(from)} to ${rate(to ?? 0)}`;
/** Entries that are told one by one. */
const MOST_TOLD = 50;
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const told = (words: readonly string[]): string =>
  words.length <= MOST_TOLD
    ? words.join(", ")
    : `${words.slice(0, MOST_TOLD).join(", ")} and ${words.length - MOST_TOLD} more`;
const inner = (s: ScheduleSpec) => inWords(s.schedule as ScheduleSpec);

/**
 * "triangular, 2e-3 to 0.012, step size 216 updates"; an unknown type is named as it is.
 * @throws ArgumentError for schedules within schedules more than 64 levels deep
 */
export function describeSchedule(spec: ScheduleSpec): string {
  checkNesting(spec);
  return inWords(spec);
}

function inWords(spec: ScheduleSpec): string {
  const type = spec?.type;
  const known: Readonly<Record<string, (s: ScheduleSpec) => string>> = words;
  const own = typeof type === "string" && Object.hasOwn(known, type) ? known[type] : null;
  return own ? own(spec) : String(type);
}
