/** @file One specification of every family of schedules: what the explorer begins with. Lengths are in updates. */

import type { ScheduleSpec } from "../src/record/index.ts";
import type { ScheduleType } from "../src/schedules/text/from-json.ts";

const cosine = { type: "cosineDecay", peak: 0.1, floor: 0.001, steps: 800 };

export const EXAMPLES: Readonly<Record<ScheduleType, Readonly<Record<string, unknown>>>> = {
  constant: { rate: 0.01 },
  triangular: { base: 0.01, max: 0.06, stepSize: 200 },
  triangular2: { base: 0.01, max: 0.06, stepSize: 150 },
  expRange: { base: 0.01, max: 0.06, stepSize: 150, gamma: 0.998 },
  oneCycle: { max: 0.1, steps: 1000, riseFraction: 0.3, startDivisor: 25, endDivisor: 10000 },
  cosineDecay: { peak: 0.1, floor: 0.001, steps: 1000 },
  cosineRestarts: { peak: 0.1, cycleSteps: 150, growth: 2, floor: 0.001 },
  linearRamp: { from: 0.001, to: 0.1, steps: 500 },
  trapezoidal: { peak: 0.1, steps: 1000, decaySteps: 200, warmupSteps: 100 },
  inverseSqrt: { peak: 0.1, warmupSteps: 100 },
  polynomial: { from: 0.1, to: 0, steps: 1000, power: 2 },
  exponential: { rate: 0.1, factor: 0.99, every: 5 },
  stepDecay: { rate: 0.1, every: 250, factor: 0.5 },
  multiStep: { rate: 0.1, milestones: [400, 800], factor: 0.1 },
  piecewise: {
    points: [
      [0, 0.001],
      [300, 0.1],
      [1000, 0.01],
    ],
  },
  warmup: { schedule: cosine, steps: 100, from: 0 },
  sequence: {
    parts: [
      { steps: 200, schedule: { type: "linearRamp", from: 0.001, to: 0.1, steps: 200 } },
      { steps: 800, schedule: cosine },
    ],
  },
  repeat: { schedule: { ...cosine, steps: 250 }, steps: 250, times: 4 },
  stretch: { schedule: { ...cosine, steps: 500 }, steps: 500, to: 1000 },
  clip: { schedule: cosine, min: 0.01, max: 0.08 },
  inverseMomentum: {
    schedule: { type: "triangular", base: 0.01, max: 0.06, stepSize: 200 },
    low: 0.85,
    high: 0.95,
  },
  holdAfter: { schedule: cosine, steps: 400 },
};

/** A specification as code of lrscope/schedules. */
export function codeOf({ type, ...fields }: ScheduleSpec): string {
  const { schedule, parts, ...options } = fields as {
    schedule?: ScheduleSpec;
    parts?: { steps: number; schedule: ScheduleSpec }[];
  };
  if (parts)
    return `sequence(${parts.map(({ steps, schedule: part }) => `[${steps}, ${codeOf(part)}]`).join(", ")})`;
  if (type === "constant") return `constant(${(options as { rate?: number }).rate})`;
  const object = `{ ${Object.entries(options)
    .map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
    .join(", ")} }`;
  return schedule ? `${type}(${codeOf(schedule)}, ${object})` : `${type}(${object})`;
}
