/** @file The compiler: from a network to the programs that a backend runs. */

export * from "./compile.ts";
export * from "./explain.ts";
export { trainedParameters } from "./freeze.ts";
export type { ImplementationChoice } from "./lay-out.ts";
export type { ParameterGroup } from "./parameter-groups.ts";
export * from "./passes.ts";
export { PRECISIONS, type Precision } from "./precision.ts";
export * from "./predictor.ts";
export * from "./split.ts";
export { faultOfGraph, type NetworkEnds } from "./stored-graph.ts";
export * from "./types.ts";
