/**
 * @file A registry of engines by their kinds. Whoever trains, predicts or measures asks one for a backend, and
 * no code outside engine/ knows which it got: what a backend can do is in its capabilities. What Node has is
 * in native/engines.ts.
 */

import { ArgumentError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest-name.ts";
import type { Backend } from "../program/index.ts";

export interface EngineOptions {
  /** Threads that layouts and scratchpads are planned for; default all processors. Reference engines have one. */
  readonly threads?: number;
  /** Compute products of bf16 by those of f32 on rounded values; default false. See `NativeBackendOptions`. */
  readonly emulateBf16?: boolean;
}

export interface Engine {
  /** Names that `LayoutRequest.wanted` may have with it, on one machine or another. */
  readonly implementations: readonly string[];
  /** Loads it and asks what this machine has. */
  open(options: EngineOptions): Promise<Backend>;
}

export interface EngineRegistry {
  readonly kinds: readonly string[];
  /** Every implementation that some engine has; a backend says which it has of a request. */
  readonly implementations: readonly string[];
  /** The engine of a kind, loaded when it is first asked for; default: the registry's first. */
  openBackend(kind?: string, options?: EngineOptions): Promise<Backend>;
}

const reference = (precision: "f32" | "f64"): Engine => ({
  implementations: [],
  open: async () => (await import("./reference/index.ts")).referenceBackend({ precision }),
});

/** Slow, and everywhere. */
export const REFERENCE_ENGINES: Readonly<Record<string, Engine>> = {
  "reference-f32": reference("f32"),
  "reference-f64": reference("f64"),
};

/** @param engines by kind; the first is the one that is opened where none is named */
export function engineRegistry(engines: Readonly<Record<string, Engine>>): EngineRegistry {
  const kinds = Object.keys(engines);
  const all = Object.values(engines).flatMap(({ implementations }) => implementations);
  return {
    kinds,
    implementations: [...new Set(all)],
    async openBackend(kind = kinds[0]!, options = {}) {
      if (!Object.hasOwn(engines, kind)) {
        throw new ArgumentError(
          `engine: "${kind}" is unknown${didYouMean(kind, kinds)} Known: ${kinds.join(", ")}`,
        );
      }
      return engines[kind]!.open(options);
    },
  };
}
