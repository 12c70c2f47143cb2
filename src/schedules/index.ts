/**
 * @file Schedules: the learning rate as a pure function of the update count. One family a file.
 * Browser-safe.
 */

export { constant } from "./constant.ts";
export { type CosineDecayOptions, cosineDecay } from "./cosine-decay.ts";
export { describeSchedule, formatRate } from "./describe.ts";
export { scheduleFromJSON, scheduleTypes } from "./from-json.ts";
export { type LinearRampOptions, linearRamp } from "./linear-ramp.ts";
export { type OneCycleOptions, oneCycle } from "./one-cycle.ts";
export { defineSchedule, type Schedule, type ScheduleSpec } from "./schedule.ts";
export { type SequencePart, sequence } from "./sequence.ts";
export { type TriangularOptions, triangular } from "./triangular.ts";
