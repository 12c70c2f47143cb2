export * from "./backend.ts";
export * from "./kernels.ts";
export * from "./layouts.ts";
export * from "./types.ts";
