/**
 * @file The performance profile: E. D. Dolan, J. J. More, "Benchmarking optimization software with
 * performance profiles", Mathematical Programming 91 (2002) 201-213, over targets and seeds as
 * problems, as AlgoPerf (arXiv 2306.07179, section 4.4) uses it over workloads.
 */

import { at } from "../core/at.ts";
import type { OptimizerSummary, PerformanceProfile } from "../record/index.ts";

/** AlgoPerf integrates up to 4 times the fastest. */
const GREATEST_TAU = 4;
const TAUS = 61;

/**
 * For each target and each seed that every arm has, an arm's ratio r = its time / the least time of
 * any arm, infinite for a miss; its curve at tau is the part of them with r <= tau, its score the
 * curve's mean height from 1 to 4. What no arm reached counts against none, and a target and seed
 * that an arm's trial may yet reach are left out.
 */
export function performanceProfile(
  optimizers: readonly OptimizerSummary[],
  unit: PerformanceProfile["unit"] = "epochs",
): PerformanceProfile {
  const targets = optimizers[0]?.timeToTarget?.map(({ target }) => target) ?? [];
  const seeds = (optimizers[0]?.seeds ?? []).filter((seed) =>
    optimizers.every((optimizer) => optimizer.seeds.includes(seed)),
  );
  const ratios = optimizers.map((): number[] => []);
  for (const [index] of targets.entries())
    for (const seed of seeds) {
      if (optimizers.some((o) => o.timeToTarget?.[index]?.openSeeds?.includes(seed))) continue;
      const times = optimizers.map(
        (optimizer) =>
          optimizer.timeToTarget?.[index]?.[unit][optimizer.seeds.indexOf(seed)] ??
          Number.POSITIVE_INFINITY,
      );
      const least = Math.min(...times);
      if (!Number.isFinite(least)) continue;
      for (const [arm, time] of times.entries()) at(ratios, arm, "ratios").push(time / least);
    }
  const taus = Array.from({ length: TAUS }, (_, i) => 1 + ((GREATEST_TAU - 1) * i) / (TAUS - 1));
  return {
    unit,
    targets,
    taus,
    curves: optimizers.map(({ name }, arm) => ({
      arm: name,
      values: taus.map((tau) => part(at(ratios, arm, "ratios"), (ratio) => ratio <= tau + 1e-12)),
      score: area(at(ratios, arm, "ratios")),
    })),
  };
}

const part = (values: readonly number[], holds: (value: number) => boolean) =>
  values.length === 0 ? 0 : values.filter(holds).length / values.length;

/** The integral of a step function is exact: a ratio r <= 4 contributes 4 - r. */
const area = (ratios: readonly number[]) =>
  ratios.length === 0
    ? 0
    : ratios.reduce((sum, ratio) => sum + Math.max(0, GREATEST_TAU - ratio), 0) /
      (ratios.length * (GREATEST_TAU - 1));
