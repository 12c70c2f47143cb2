/** @file What the conformance tests share: both backends, the comparison, and the shapes to try. */

import { expect } from "vitest";
import { elementCount } from "../../src/core/shapes.ts";
import { nativeBackend } from "../../src/engine/native/index.ts";
import { referenceBackend } from "../../src/engine/reference/index.ts";
import type { Layout } from "../../src/program/index.ts";
import { type Case, relativeError, runCase } from "./harness.ts";

export const native = nativeBackend({ threads: 2 });
/** Products of bf16 by those of f32, on every processor; all else is the engine's own code for bf16. */
export const emulating = nativeBackend({ threads: 2, emulateBf16: true });
export const reference = referenceBackend({ precision: "f64" });

/** Of a tensor's greatest value. Winograd's transforms cost digits, but F(4x4,3x3) at our points few. */
export const CONVOLUTION_TOLERANCE = 1e-4;

/**
 * Native and float64 reference agree on every output, relative to its greatest value; in bf16 too, by
 * its own tolerance, where the case is small enough to be run twice.
 */
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
  const elements = Object.values(given.tensors).map(({ shape }) => elementCount(shape));
  if (elements.reduce((sum, count) => sum + count) < 30_000)
    await expectBf16Agreement(given, threads);
}

/** The case with bf16 where the compiler's precision pass has it. */
function inBf16(given: Case): Case {
  const stays = new Set(
    given.steps.flatMap(({ kind, inputs, outputs }) =>
      kind.startsWith("softmax")
        ? [...inputs, ...outputs]
        : kind.endsWith("BackwardWeights") || kind === "conv2dNormPoolBackward"
          ? outputs
          : [],
    ),
  );
  const tensors = Object.entries(given.tensors).map(([name, tensor]) => {
    const isWide = (tensor.dtype ?? "f32") === "f32" && tensor.shape.length >= 2;
    return [name, isWide && !stays.has(name) ? { ...tensor, dtype: "bf16" as const } : tensor];
  });
  return { ...given, tensors: Object.fromEntries(tensors) };
}

/**
 * The same in bf16, with products emulated and, where the processor has them, its own. A sum that lies between two of its numbers may be rounded to either, so that no
 * value differs by more than a unit in the last place of the tensor's greatest, 2^-7 of it; and as that
 * is rare, the mean difference is far below what a wrong rounding of all would make, 2^-9.
 */
async function expectBf16Agreement(given: Case, threads = 2) {
  const narrow = inBf16(given);
  const expected = await runCase(reference, narrow);
  for (const backend of native.capabilities.bf16 ? [emulating, native] : [emulating]) {
    const actual = await runCase(backend, narrow, threads);
    for (const name of Object.keys(given.tensors)) {
      const [got, want] = [actual[name]!, expected[name]!];
      if (!want) continue;
      const subject = `${name}, ${backend.description},`;
      const error = relativeError(got, want);
      expect(error, `${subject} differs by ${error}`).toBeLessThanOrEqual(2 ** -7);
      const mean = meanError(got, want);
      expect(mean, `${subject} differs by ${mean} in the mean`).toBeLessThan(2 ** -11);
    }
  }
}

/** Mean difference, relative to the mean magnitude of what is expected. */
function meanError(actual: Float32Array, expected: Float32Array): number {
  const mean = (of: (value: number, i: number) => number) =>
    expected.reduce((sum, value, i) => sum + Math.abs(of(value, i)), 0) / expected.length;
  return (
    mean((value, i) => actual[i]! - value) /
    Math.max(
      mean((value) => value),
      1e-30,
    )
  );
}

export const BATCHES = [1, 7];
export const CHANNELS = [1, 3, 5, 16, 17];
export const LAYOUTS: Layout[] = ["abcd", "acdb", "aBcd8b", "aBcd16b"];
export const pairs = BATCHES.flatMap((B) => CHANNELS.map((C) => [B, C] as const));
export const laidOut = pairs.flatMap(([B, C]) => LAYOUTS.map((layout) => [B, C, layout] as const));
