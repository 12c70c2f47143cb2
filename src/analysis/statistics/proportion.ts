/** @file The interval of a proportion that was counted. */

import type { Interval } from "../../record/index.ts";
import { normalQuantile } from "./normal.ts";
import { LEVEL } from "./student-t.ts";

/**
 * Wilson's score interval, 95%: what proportions are in keeping with `right` of `of`. It stays within 0 .. 1,
 * and holds at both ends. Wilson, "Probable inference, the law of succession, and statistical inference",
 * JASA 22 (1927).
 * @param of 1 or more
 */
export function proportionInterval(right: number, of: number): Interval {
  const z = normalQuantile((1 + LEVEL) / 2);
  const part = right / of;
  const scale = 1 + (z * z) / of;
  const centre = (part + (z * z) / (2 * of)) / scale;
  const half = (z / scale) * Math.sqrt((part * (1 - part)) / of + (z * z) / (4 * of * of));
  return {
    low: right === 0 ? 0 : Math.max(0, centre - half),
    high: right === of ? 1 : Math.min(1, centre + half),
  };
}
