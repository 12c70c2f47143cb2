/** @file The compiler: from a network to the programs that a backend runs. */

export * from "./compile.ts";
export type { ParameterGroup } from "./encode/parameter-groups.ts";
export * from "./explain.ts";
export { trainedParameters } from "./graph/freeze.ts";
export * from "./graph/passes.ts";
export { PRECISIONS, type Precision } from "./graph/precision.ts";
export * from "./graph/split.ts";
export type { ImplementationChoice } from "./memory/lay-out.ts";
export * from "./predictor.ts";
export { faultOfGraph, type NetworkEnds } from "./stored-graph.ts";
export * from "./types.ts";
