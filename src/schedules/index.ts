/**
 * @file Schedules: the learning rate as a pure function of the update count. One family a file.
 * Browser-safe.
 */

export { type ClipOptions, clip } from "./clip.ts";
export { constant } from "./constant.ts";
export { type CosineDecayOptions, cosineDecay } from "./cosine-decay.ts";
export { type CosineRestartsOptions, cosineRestarts } from "./cosine-restarts.ts";
export { type CyclicalOptions, cyclical } from "./cyclical.ts";
export { describeSchedule, formatRate } from "./describe.ts";
export { type ExpRangeOptions, expRange } from "./exp-range.ts";
export { type ExponentialOptions, exponential } from "./exponential.ts";
export { scheduleFromJSON, scheduleTypes } from "./from-json.ts";
export { greatestRate } from "./greatest-rate.ts";
export { type HoldAfterOptions, holdAfter } from "./hold-after.ts";
export {
  type InverseMomentumOptions,
  inverseMomentum,
  momentumBeside,
} from "./inverse-momentum.ts";
export { type InverseSqrtOptions, inverseSqrt } from "./inverse-sqrt.ts";
export { type LinearRampOptions, linearRamp } from "./linear-ramp.ts";
export { type MultiStepOptions, multiStep } from "./multi-step.ts";
export { type OneCycleOptions, oneCycle } from "./one-cycle.ts";
export { warnPastEnd } from "./past-end.ts";
export { type PiecewiseOptions, piecewise } from "./piecewise.ts";
export { type PolynomialOptions, polynomial } from "./polynomial.ts";
export {
  type PlateauState,
  type ReduceOnPlateau,
  type ReduceOnPlateauOptions,
  reduceOnPlateau,
} from "./reduce-on-plateau.ts";
export { type RepeatOptions, repeat } from "./repeat.ts";
export {
  defineSchedule,
  type Schedule,
  type ScheduleSpec,
  type ScheduleTraits,
} from "./schedule.ts";
export { type SequencePart, sequence } from "./sequence.ts";
export { snapCycles } from "./snap-cycles.ts";
export { type StepDecayOptions, stepDecay } from "./step-decay.ts";
export { type StretchOptions, stretch } from "./stretch.ts";
export { type TrapezoidalOptions, trapezoidal } from "./trapezoidal.ts";
export { type TriangularOptions, triangular } from "./triangular.ts";
export { triangular2 } from "./triangular2.ts";
export { type WarmupOptions, warmup } from "./warmup.ts";
