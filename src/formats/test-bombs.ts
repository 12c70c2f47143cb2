/** @file What the tests of hostile files share: a measure of what reading takes, and pickles as Python writes them. */

import { expect } from "vitest";
import { type ZipEntry, zipOf } from "../../test/fuzz/weight-seeds.ts";
import { type ByteSource, memorySource } from "./index.ts";

export const MIB = 2 ** 20;

/** Decodes the bytes; what arrays took beyond `allowed` bytes fails the test. */
export function decode<T>(
  bytes: Uint8Array,
  decoder: (source: ByteSource) => T,
  allowed = 4 * MIB,
): T {
  const before = process.memoryUsage().arrayBuffers;
  try {
    return decoder(memorySource(bytes, "some.file"));
  } finally {
    const taken = process.memoryUsage().arrayBuffers - before;
    expect(taken).toBeLessThan(2 * bytes.length + allowed);
  }
}

// Pickles, as Python writes them.
export const u32 = (value: number) => [...new Uint8Array(Uint32Array.of(value).buffer)];
export const text = (value: string) => [
  0x58,
  ...u32(Buffer.byteLength(value)),
  ...Buffer.from(value),
];
export const named = (module: string, name: string) => [...Buffer.from(`c${module}\n${name}\n`)];
export const integer = (value: number) => [0x4a, ...u32(value)];
export const tuple = (...parts: number[][]) => [0x28, ...parts.flat(), 0x74];
export const pickle = (...parts: number[][]) => Uint8Array.from([0x80, 2, ...parts.flat(), 0x2e]);
export const tensor = (
  key: string,
  elements: number,
  shape: number[],
  strides: number[],
  type = "Float",
) => [
  ...named("torch._utils", "_rebuild_tensor_v2"),
  ...tuple(
    [
      ...tuple(
        text("storage"),
        named("torch", `${type}Storage`),
        text(key),
        text("cpu"),
        integer(elements),
      ),
      0x51,
    ],
    integer(0),
    tuple(...shape.map(integer)),
    tuple(...strides.map(integer)),
  ),
  0x52,
];
export const dictionary = (...items: number[][]) => [0x7d, 0x28, ...items.flat(), 0x75];
export const torch = (root: Uint8Array, members: readonly ZipEntry[] = []) =>
  zipOf([{ name: "a/data.pkl", bytes: root }, ...members]);
