export * from "./builder.ts";
export * from "./graph.ts";
export * from "./graph-record.ts";
export * from "./network.ts";
export * from "./op.ts";
export * from "./print.ts";
export * from "./rebatch.ts";
