/** @file Packing: hand-made cases, and what must hold of any. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Block, lowerBoundBytes, overlapInTime, pack } from "./offsets.ts";

const ALIGNMENTS = [64, 256] as const;
const block = (bytes: number, first: number, last: number): Block => ({ bytes, first, last });

const blocks = fc.array(
  fc
    .record({
      bytes: fc.integer({ min: 1, max: 5000 }),
      first: fc.integer({ min: 0, max: 40 }),
      length: fc.integer({ min: 0, max: 40 }),
    })
    .map(({ bytes, first, length }) => block(bytes, first, first + length)),
  { maxLength: 60 },
);

describe("pack", () => {
  test("blocks that never live together share memory", () => {
    const { offsets, peakBytes } = pack([block(128, 0, 1), block(64, 2, 3), block(128, 4, 9)], 64);
    expect(offsets).toEqual([0, 0, 0]);
    expect(peakBytes).toBe(128);
  });

  test("a block whose life ends where another begins does not share with it", () => {
    expect(pack([block(64, 0, 2), block(64, 2, 3)], 64).peakBytes).toBe(128);
  });

  test("a small block goes into the tightest gap", () => {
    const { peakBytes } = pack(
      [block(640, 0, 4), block(128, 0, 9), block(640, 6, 9), block(64, 5, 5)],
      64,
    );
    expect(peakBytes).toBe(768);
  });

  test("no block of any: no arena", () => {
    expect(pack([], 64)).toEqual({ offsets: [], peakBytes: 0 });
  });

  test("live blocks never overlap, offsets are aligned, and the peak is at least the bound", () => {
    fc.assert(
      fc.property(blocks, fc.constantFrom(...ALIGNMENTS), (list, alignment) => {
        const { offsets, peakBytes } = pack(list, alignment);
        for (const [i, a] of list.entries()) {
          expect(offsets[i]! % alignment).toBe(0);
          expect(offsets[i]! + a.bytes).toBeLessThanOrEqual(peakBytes);
          for (const [j, b] of list.entries()) {
            if (i >= j || !overlapInTime(a, b)) continue;
            const apart =
              offsets[i]! + a.bytes <= offsets[j]! || offsets[j]! + b.bytes <= offsets[i]!;
            expect(apart, `blocks ${i} and ${j}`).toBe(true);
          }
        }
        expect(peakBytes).toBeGreaterThanOrEqual(lowerBoundBytes(list, alignment));
      }),
    );
  });
});

test("the lower bound is the worst sum of aligned bytes alive at once", () => {
  // Step 2 holds 64 + 128 + 64 (from 1): 256.
  const list = [block(64, 0, 2), block(100, 2, 3), block(1, 1, 2), block(64, 4, 4)];
  expect(lowerBoundBytes(list, 64)).toBe(256);
  expect(lowerBoundBytes(list, 256)).toBe(3 * 256);
});
