export * from "./backend.ts";
export * from "./layouts.ts";
export * from "./types.ts";
