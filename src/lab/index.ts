/** @file The lab: range test, training, comparison; each emits events and returns records. */

export * from "./arms.ts";
export type { BudgetOptions } from "./budget.ts";
export * from "./compare.ts";
export * from "./confirm.ts";
export * from "./confusion.ts";
export { differences } from "./differences.ts";
export * from "./events.ts";
export * from "./experiment.ts";
export * from "./export.ts";
export * from "./features.ts";
export * from "./fit.ts";
export { defaultThreads, threadsOfEach } from "./machine.ts";
export * from "./options.ts";
export { type Plan, planDifferences, planOf } from "./plan.ts";
export type * from "./plan-trials.ts";
export * from "./predict.ts";
export * from "./pretrained.ts";
export * from "./protocol-options.ts";
export * from "./range-test.ts";
export * from "./recorder.ts";
export { isFinished, restoreTrial, type TrialState } from "./resume.ts";
export type * from "./setup.ts";
