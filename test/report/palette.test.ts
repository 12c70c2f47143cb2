/** @file The series colours, told apart as those see them who do not see red, green or blue; by Machado's matrices. */

import { describe, expect, test } from "vitest";
import { darkColours, lightColours, seriesLook } from "../../src/report/palette.ts";

type Triple = readonly number[];
type Matrix = readonly Triple[];

/** Machado, Oliveira and Fernandes 2009, table 1, severity 1: on linear RGB. */
const VISION: Readonly<Record<string, Matrix>> = {
  normal: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protan: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deutan: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritan: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

const times = (matrix: Matrix, v: Triple) =>
  matrix.map((row) => row.reduce((sum, x, i) => sum + x * v[i]!, 0));

const linear = (hex: string): Triple =>
  [1, 3, 5].map((i) => {
    const c = Number.parseInt(hex.slice(i, i + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });

/** bottosson.github.io/posts/oklab, times 100. */
function oklab(rgb: Triple): Triple {
  const lms = times(
    [
      [0.4122214708, 0.5363325363, 0.0514459929],
      [0.2119034982, 0.6806995451, 0.1073969566],
      [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    rgb,
  ).map(Math.cbrt);
  return times(
    [
      [0.2104542553, 0.793617785, -0.0040720468],
      [1.9779984951, -2.428592205, 0.4505937099],
      [0.0259040371, 0.7827717662, -0.808675766],
    ],
    lms,
  ).map((x) => 100 * x);
}

const luminance = (hex: string) => times([[0.2126, 0.7152, 0.0722]], linear(hex))[0]!;

describe.each([
  ["light", lightColours],
  ["dark", darkColours],
])("%s", (_, colours) => {
  const series = Object.keys(colours).filter((name) => /^\d+$/.test(name));
  test("ten of them", () => expect(series).toHaveLength(10));

  test.each(Object.entries(VISION))("%s vision tells each two apart", (__, vision) => {
    const seen = series.map((name) =>
      oklab(times(vision, linear(colours[name]!)).map((x) => Math.min(1, Math.max(0, x)))),
    );
    for (const [i, a] of seen.entries())
      for (const b of seen.slice(i + 1))
        expect(Math.hypot(...a.map((x, k) => x - b[k]!))).toBeGreaterThan(6.9);
  });

  test("each has a contrast of 3 or more to the paper", () => {
    for (const name of series) {
      const [a, b] = [luminance(colours[name]!), luminance(colours.paper!)].sort((x, y) => y - x);
      expect((a! + 0.05) / (b! + 0.05)).toBeGreaterThanOrEqual(3);
    }
  });
});

test("of ninety series none looks like another, and neighbours share neither colour nor dashes", () => {
  const looks = Array.from({ length: 90 }, (_, i) => seriesLook(i));
  expect(new Set(looks.map((look) => JSON.stringify(look))).size).toBe(90);
  for (const [i, { colour, dash }] of looks.slice(1).entries()) {
    expect(colour).not.toBe(looks[i]!.colour);
    expect(dash).not.toEqual(looks[i]!.dash);
  }
});
