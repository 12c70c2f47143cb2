/** @file The lab: range test, training, comparison; each emits events and returns records. */

export * from "./arms.ts";
export * from "./compare.ts";
export * from "./events.ts";
export * from "./experiment.ts";
export * from "./export.ts";
export * from "./fit.ts";
export * from "./options.ts";
export * from "./predict.ts";
export * from "./pretrained.ts";
export * from "./range-test.ts";
export * from "./recorder.ts";
