/**
 * @file The order of the arms. Seeds differ, some are hard, and an arm that did not come through those has a
 * mean of the easy ones: arms are ranked by what they did on seeds that they have in common.
 */

import { at, get, present } from "../core/at.ts";
import type { OptimizerSummary } from "../record/index.ts";
import { type Measure, PRIMARY_MEASURE, valuesBySeed } from "./statistics/paired.ts";
import { mean } from "./statistics/statistics.ts";

/** Differences below this are rounding. */
const ROUNDING = 1e-10;
/** An arm that finished a smaller part of the seeds than this of the fullest is not ranked with the others. */
const LEAST_PART = 0.5;
/** Passes over arms and seeds, at most; they end where nothing changes. */
const PASSES = 200;

/**
 * Best final accuracy first; after them the arms that finished less than half as many seeds as another, then
 * those that finished none, in the order given. Of two arms beside each other the second is never ahead on
 * the seeds that both finished.
 * @param by the accuracy that is compared; default the final one on the validation images
 */
export function ranked(
  optimizers: readonly OptimizerSummary[],
  by: Measure = PRIMARY_MEASURE,
): OptimizerSummary[] {
  const arms = optimizers.map((arm) => ({ arm, values: valuesBySeed(arm, by) }));
  const [full, sparse] = [false, true].map((wanted) =>
    inOrder(
      arms.filter(({ arm, values }) => values.size > 0 && isSparse(arm, optimizers, by) === wanted),
    ),
  );
  const none = arms.filter(({ values }) => values.size === 0);
  return [...present(full, "full"), ...present(sparse, "sparse"), ...none].map(({ arm }) => arm);
}

/** Whether the arm finished less than half as many seeds as another of them. */
export const isSparse = (
  arm: OptimizerSummary,
  optimizers: readonly OptimizerSummary[],
  by: Measure = PRIMARY_MEASURE,
): boolean => {
  const most = Math.max(0, ...optimizers.map((other) => valuesBySeed(other, by).size));
  return valuesBySeed(arm, by).size < LEAST_PART * most;
};

interface Arm {
  readonly arm: OptimizerSummary;
  /** Accuracy by seed. */
  readonly values: ReadonlyMap<number, number>;
}

function inOrder(arms: readonly Arm[]): Arm[] {
  const effects = effectsOf(arms);
  const byEffect = arms
    .map((arm, index) => ({ arm, effect: Math.round(at(effects, index, "effects") / ROUNDING) }))
    .sort((a, b) => b.effect - a.effect);
  const order: Arm[] = [];
  for (const { arm } of byEffect) {
    let place = order.length;
    while (place > 0 && isAhead(arm, at(order, place - 1, "order"))) place--;
    order.splice(place, 0, arm);
  }
  return order;
}

/** Whether the first has the greater mean on the seeds that both finished. */
function isAhead({ values }: Arm, { values: others }: Arm): boolean {
  const common = [...values.keys()].filter((seed) => others.has(seed));
  return (
    common.length > 0 &&
    mean(common.map((seed) => get(values, seed, "values") - get(others, seed, "others"))) > ROUNDING
  );
}

/**
 * What each arm adds to a seed's accuracy: accuracy = seed + arm by least squares, arms and seeds in turn.
 * Where every arm finished every seed these are the means.
 */
function effectsOf(arms: readonly Arm[]): number[] {
  const bySeed = new Map<number, number>();
  const means = () =>
    arms.map(({ values }) =>
      mean([...values].map(([seed, value]) => value - (bySeed.get(seed) ?? 0))),
    );
  let effects = means();
  const seeds = new Set(arms.flatMap(({ values }) => [...values.keys()]));
  if (arms.every(({ values }) => values.size === seeds.size)) return effects;
  for (let pass = 0; pass < PASSES; pass++) {
    for (const seed of seeds) {
      const left = arms.flatMap(({ values }, i) =>
        values.has(seed) ? get(values, seed, "values") - at(effects, i, "effects") : [],
      );
      bySeed.set(seed, mean(left));
    }
    const before = effects;
    effects = means();
    if (effects.every((effect, i) => Math.abs(effect - at(before, i, "effects")) < ROUNDING / 10))
      break;
  }
  return effects;
}
