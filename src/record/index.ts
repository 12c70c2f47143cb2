export * from "./comparison.ts";
export * from "./derived.ts";
export * from "./experiment.ts";
export * from "./range-test.ts";
export * from "./specification.ts";
export * from "./spread.ts";
export * from "./summary.ts";
export * from "./trial.ts";
