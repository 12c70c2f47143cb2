/**
 * @file The engines by kind. Whoever trains, predicts or measures asks here for one, and no code outside
 * engine/ knows which it got: what a backend can do is in its capabilities.
 */

import { ArgumentError } from "../core/errors.ts";
import { nearest } from "../core/nearest-name.ts";
import type { Backend } from "../program/index.ts";
import { CONVOLUTION_IMPLEMENTATIONS } from "./native/implementations.ts";

export interface EngineOptions {
  /** Threads that layouts and scratchpads are planned for; default all processors. Reference engines have one. */
  readonly threads?: number;
  /** Compute products of bf16 by those of f32 on rounded values; default false. See `NativeBackendOptions`. */
  readonly emulateBf16?: boolean;
}

interface Engine {
  /** Names that `LayoutRequest.wanted` may have with it, on one machine or another. */
  readonly implementations: readonly string[];
  /** Loads it and asks what this machine has. */
  open(options: EngineOptions): Promise<Backend>;
}

const reference = (precision: "f32" | "f64"): Engine => ({
  implementations: [],
  open: async () => (await import("./reference/index.ts")).referenceBackend({ precision }),
});

/** A new engine is added here. */
const ENGINES: ReadonlyMap<string, Engine> = new Map<string, Engine>([
  [
    "native",
    {
      implementations: CONVOLUTION_IMPLEMENTATIONS,
      open: async (options) => (await import("./native/index.ts")).nativeBackend(options),
    },
  ],
  ["reference-f32", reference("f32")],
  ["reference-f64", reference("f64")],
]);

/** The engine that trains where none is named. */
export const DEFAULT_ENGINE = "native";

export const ENGINE_KINDS: readonly string[] = [...ENGINES.keys()];

/** Every implementation that some engine has; which are there for a convolution says its backend. */
export const knownImplementations: readonly string[] = [
  ...new Set([...ENGINES.values()].flatMap(({ implementations }) => implementations)),
];

/**
 * The engine of a kind, loaded when it is first asked for.
 * @param kind default "native": oneDNN; "reference-f32" and "reference-f64" are slow, and need nothing
 * @throws ArgumentError for a kind that there is not, or threads outside their domain
 * @throws AddonError where the native module is absent, saying what to install
 */
export async function openBackend(
  kind: string = DEFAULT_ENGINE,
  options: EngineOptions = {},
): Promise<Backend> {
  const engine = ENGINES.get(kind);
  if (!engine) {
    const near = nearest(kind, ENGINE_KINDS);
    throw new ArgumentError(
      `engine: "${kind}" is unknown${near ? `; did you mean "${near}"? Known` : "; known"}: ${ENGINE_KINDS.join(", ")}`,
    );
  }
  return engine.open(options);
}
