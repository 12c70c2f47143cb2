/** @file One quantity over the seeds. */

import type { Spread } from "../../record/index.ts";
import { mean, standardDeviation } from "./statistics.ts";
import { tInterval } from "./student-t.ts";

/**
 * Mean, deviation and 95% t interval of the values that are there; `values` keeps its gaps, one a
 * seed.
 */
export function spreadOf(values: readonly (number | null)[]): Spread {
  const present = values.filter((value) => value !== null);
  return {
    mean: present.length === 0 ? null : mean(present),
    sd: standardDeviation(present),
    values: [...values],
    interval: tInterval(present),
  };
}
