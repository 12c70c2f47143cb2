import { deflateRawSync, crc32 as zlibCrc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { zlibDecompressor } from "../files/open-weights.ts";
import { plainDecompressor } from "./decompressor.ts";
import { MIB } from "./test-bombs.ts";

const bytes = (length: number) =>
  Uint8Array.from({ length }, (_, i) => Math.imul(i + 1, 2654435761) >>> (24 + (i % 5)));

describe.each([
  ["in plain JavaScript", plainDecompressor],
  ["zlib's", zlibDecompressor],
])("%s", (_, { inflate, crc32 }) => {
  test.each([0, 1, 4095, 4096, 300_000])("%i bytes come back", (length) => {
    const original = bytes(length);
    for (const level of [0, 1, 9])
      expect(Buffer.compare(inflate(deflateRawSync(original, { level }), length), original)).toBe(
        0,
      );
  });

  test("they lie at the start of a buffer of their own", () => {
    const found = inflate(deflateRawSync(bytes(100)), 100);
    expect([found.byteOffset, found.buffer instanceof ArrayBuffer]).toEqual([0, true]);
  });

  test("more than was declared is refused, and not held", () => {
    const packed = deflateRawSync(new Uint8Array(64 * MIB), { level: 9 });
    const before = process.memoryUsage().arrayBuffers;
    expect(() => inflate(packed, 1000)).toThrow();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * MIB);
    expect(() => inflate(deflateRawSync(bytes(101)), 100)).toThrow();
  });

  test("less than was declared is all that comes back", () => {
    expect(inflate(deflateRawSync(bytes(99)), 100).length).toBe(99);
  });

  test("a stream that is cut short, or none, is refused", () => {
    const packed = deflateRawSync(bytes(5000));
    expect(() => inflate(packed.subarray(0, packed.length >> 1), 5000)).toThrow();
    expect(() => inflate(Uint8Array.of(0xff, 0xff, 0xff), 5000)).toThrow();
    expect(() => inflate(new Uint8Array(0), 5000)).toThrow();
  });

  test("checksums", () => {
    expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (data) => {
        expect(crc32(data)).toBe(zlibCrc32(data));
      }),
    );
  });
});
