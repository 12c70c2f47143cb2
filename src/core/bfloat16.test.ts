import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { roundToBfloat16, toBfloat16 } from "./bfloat16.ts";

describe("bfloat16", () => {
  const widened = (half: number) => new Float32Array(Uint32Array.of((half << 16) >>> 0).buffer)[0]!;

  test.each([
    [1, 0x3f80],
    [-2.5, 0xc020],
    [-0, 0x8000],
    [Number.POSITIVE_INFINITY, 0x7f80],
    [Number.NEGATIVE_INFINITY, 0xff80],
    [1e-45, 0],
    // Half-way between two: the even one.
    [1 + 2 ** -8, 0x3f80],
    [1 + 3 * 2 ** -8, 0x3f82],
    [1 + 2 ** -8 + 2 ** -20, 0x3f81],
    // Beyond the greatest.
    [3.4e38, 0x7f80],
  ])("%f", (value, half) => expect(toBfloat16([value])[0]).toBe(half));

  test("NaN stays NaN, whatever its bits", () => {
    const payload = new Float32Array(Uint32Array.of(0x7f800001).buffer);
    expect(widened(toBfloat16(payload)[0]!)).toBeNaN();
    expect(widened(toBfloat16([Number.NaN])[0]!)).toBeNaN();
  });

  test("no other is nearer", () => {
    const finite = fc.float({
      noNaN: true,
      noDefaultInfinity: true,
      max: 2 ** 100,
      min: -(2 ** 100),
    });
    fc.assert(
      fc.property(finite, (value) => {
        const half = toBfloat16([value])[0]!;
        const distance = Math.abs(widened(half) - value);
        for (const other of [half - 1, half + 1])
          if (other >= 0 && other < 0x10000 && Number.isFinite(widened(other)))
            expect(distance).toBeLessThanOrEqual(Math.abs(widened(other) - value));
      }),
    );
  });

  test("every one of the 65,536 is what it rounds to, but that NaNs become quiet", () => {
    const words = Uint32Array.from({ length: 0x10000 }, (_, half) => half << 16);
    const halves = toBfloat16(new Float32Array(words.buffer));
    for (let half = 0; half < 0x10000; half++)
      expect(halves[half]).toBe((half & 0x7fff) > 0x7f80 ? half | 0x40 : half);
  });

  test("in place, in either precision", () => {
    for (const values of [Float32Array.of(1, 1 + 2 ** -9, -3e-39), Float64Array.of(1, 1.001, -0)]) {
      const want = [...toBfloat16(values)].map(widened);
      roundToBfloat16(values);
      expect([...values]).toEqual(want);
    }
  });
});
