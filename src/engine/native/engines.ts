/** @file The engines that Node has: the native one, which trains where none is named, and the reference ones. */

import type { Backend } from "../../program/index.ts";
import { type EngineOptions, engineRegistry, REFERENCE_ENGINES } from "../registry.ts";
import { CONVOLUTION_IMPLEMENTATIONS } from "./implementations.ts";

const registry = engineRegistry({
  native: {
    implementations: CONVOLUTION_IMPLEMENTATIONS,
    open: async (options) => (await import("./index.ts")).nativeBackend(options),
  },
  ...REFERENCE_ENGINES,
});

/** The engine that trains where none is named. */
export const DEFAULT_ENGINE = "native";

/** Kinds that `openBackend` knows. */
export const ENGINE_KINDS = registry.kinds;

/** Names that a convolution's implementation may have, on one machine or another. */
export const knownImplementations = registry.implementations;

/**
 * The engine of a kind, loaded when it is first asked for.
 * @param kind default "native": oneDNN; "reference-f32" and "reference-f64" are slow, and need nothing
 * @throws ArgumentError for a kind that there is not, or threads outside their domain
 * @throws AddonError where the native module is absent, saying what to install
 */
export const openBackend = (kind?: string, options?: EngineOptions): Promise<Backend> =>
  registry.openBackend(kind, options);

/** Whether the engine that trains by default computes in a precision here, before anything is opened. */
export { checkPrecision } from "./precision.ts";
