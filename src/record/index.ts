export * from "./experiment.ts";
export * from "./range-test.ts";
export * from "./summary.ts";
export * from "./trial.ts";
