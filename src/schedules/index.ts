/**
 * @file Schedules: the learning rate as a pure function of the update count. One family a file.
 * Browser-safe.
 */

export { type ClipOptions, clip } from "./combine/clip.ts";
export { greatestRate } from "./combine/greatest-rate.ts";
export { type HoldAfterOptions, holdAfter } from "./combine/hold-after.ts";
export {
  type InverseMomentumOptions,
  inverseMomentum,
  momentumBeside,
} from "./combine/inverse-momentum.ts";
export { warnPastEnd } from "./combine/past-end.ts";
export { type RepeatOptions, repeat } from "./combine/repeat.ts";
export { type SequencePart, sequence } from "./combine/sequence.ts";
export { snapCycles } from "./combine/snap-cycles.ts";
export { type StretchOptions, stretch } from "./combine/stretch.ts";
export { constant } from "./families/constant.ts";
export { type CosineDecayOptions, cosineDecay } from "./families/cosine-decay.ts";
export { type CosineRestartsOptions, cosineRestarts } from "./families/cosine-restarts.ts";
export { type CyclicalOptions, cyclical } from "./families/cyclical.ts";
export { type ExpRangeOptions, expRange } from "./families/exp-range.ts";
export { type ExponentialOptions, exponential } from "./families/exponential.ts";
export { type InverseSqrtOptions, inverseSqrt } from "./families/inverse-sqrt.ts";
export { type LinearRampOptions, linearRamp } from "./families/linear-ramp.ts";
export { type MultiStepOptions, multiStep } from "./families/multi-step.ts";
export { type OneCycleOptions, oneCycle } from "./families/one-cycle.ts";
export { type PiecewiseOptions, piecewise } from "./families/piecewise.ts";
export { type PolynomialOptions, polynomial } from "./families/polynomial.ts";
export {
  type PlateauState,
  type ReduceOnPlateau,
  type ReduceOnPlateauOptions,
  reduceOnPlateau,
} from "./families/reduce-on-plateau.ts";
export { type StepDecayOptions, stepDecay } from "./families/step-decay.ts";
export { type TrapezoidalOptions, trapezoidal } from "./families/trapezoidal.ts";
export { type TriangularOptions, triangular } from "./families/triangular.ts";
export { triangular2 } from "./families/triangular2.ts";
export { type WarmupOptions, warmup } from "./families/warmup.ts";
export {
  defineSchedule,
  type Schedule,
  type ScheduleSpec,
  type ScheduleTraits,
} from "./schedule.ts";
export { describeSchedule, formatRate } from "./text/describe.ts";
export { scheduleFromJSON, scheduleTypes } from "./text/from-json.ts";
