/** @file What the conformance tests share: both backends, the comparison, and the shapes to try. */

import { expect } from "vitest";
import type { Layout } from "../../src/program/index.ts";
import { nativeBackend } from "../../src/runtime/native/index.ts";
import { referenceBackend } from "../../src/runtime/reference/index.ts";
import { type Case, relativeError, runCase } from "./harness.ts";

export const native = nativeBackend({ threads: 2 });
export const reference = referenceBackend({ precision: "f64" });

/**
 * Of a tensor's greatest value: 1e-4 where convolutions are direct, 1e-3 where the rule table takes
 * Winograd, whose transforms cost digits.
 */
export const CONVOLUTION_TOLERANCE = native.description.includes("avx512") ? 1e-3 : 1e-4;

/** Native and float64 reference agree on every output, relative to its greatest value. */
export async function expectAgreement(given: Case, tolerance: number, threads = 2) {
  const [actual, expected] = [
    await runCase(native, given, threads),
    await runCase(reference, given),
  ];
  for (const name of Object.keys(given.tensors)) {
    if (!expected[name]) continue;
    const error = relativeError(actual[name]!, expected[name]!);
    expect(error, `${name} differs by ${error}`).toBeLessThan(tolerance);
  }
}

export const BATCHES = [1, 7];
export const CHANNELS = [1, 3, 5, 16, 17];
export const LAYOUTS: Layout[] = ["abcd", "acdb", "aBcd8b", "aBcd16b"];
export const pairs = BATCHES.flatMap((B) => CHANNELS.map((C) => [B, C] as const));
export const laidOut = pairs.flatMap(([B, C]) => LAYOUTS.map((layout) => [B, C, layout] as const));
