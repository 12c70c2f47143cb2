export * from "./comparison.ts";
export * from "./experiment.ts";
export * from "./published.ts";
export * from "./range-test.ts";
export * from "./spread.ts";
export * from "./summary.ts";
export * from "./trial.ts";
