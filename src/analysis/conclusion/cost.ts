/** @file What a step costs, and how much of that the optimizer is to blame for. */

import { at, get, present } from "../../core/at.ts";
import type { OptimizerSummary } from "../../record/index.ts";

/** Step times within this factor of each other count as the same. */
const SAME_COST = 1.05;

/** A sentence; none where fewer than two arms were timed. */
export function cost(arms: readonly OptimizerSummary[], sameWork: boolean): string[] {
  const timed = arms.filter((arm) => arm.msPerStep !== null && arm.msPerStep > 0);
  if (timed.length < 2) return [];
  const sorted = [...timed].sort((a, b) => get(a, "msPerStep", "arm") - get(b, "msPerStep", "arm"));
  const [cheap, dear] = [at(sorted, 0, "sorted"), at(sorted, -1, "sorted")];
  const shares = timed
    .map((arm) => arm.optimizerShare)
    .filter((share) => typeof share === "number");
  const [low, high] = [Math.min(...shares), Math.max(...shares)].map(
    (share) => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)}%`,
  );
  const part =
    shares.length < timed.length
      ? ""
      : `; the optimizer’s update is ${low === high ? `${low}` : `${low} to ${high}`} of it`;
  const ratio = get(dear, "msPerStep", "dear") / get(cheap, "msPerStep", "cheap");
  const updates = timed.map(
    (arm) => get(arm, "msPerStep", "arm") * (arm.optimizerShare ?? Number.NaN),
  );
  const [least, most] = [Math.min(...updates), Math.max(...updates)];
  // Arms that compute the same gradients: what their updates do not explain is not theirs.
  if (
    sameWork &&
    ratio >= SAME_COST &&
    most - least < (get(dear, "msPerStep", "dear") - get(cheap, "msPerStep", "cheap")) / 2
  )
    return [
      `A step took ${ms(cheap)} ms (${cheap.name}) to ${ms(dear)} ms (${dear.name}), but the optimizers’ updates only ${short(least)} to ${short(most)} ms of that: the rest of the difference is how busy the machine was, not the optimizers.`,
    ];
  return [
    ratio < SAME_COST
      ? `A step costs about the same with every arm (${ms(cheap) === ms(dear) ? ms(cheap) : `${ms(cheap)} to ${ms(dear)}`} ms${part}).`
      : `A step is cheapest with ${cheap.name} (${ms(cheap)} ms) and dearest with ${dear.name} (${ms(dear)} ms, ${ratio < 3 ? `${Math.round((ratio - 1) * 100)}% more` : `${short(ratio)} times as much`})${part}.`,
  ];
}

const short = (value: number) => (value >= 100 ? value.toFixed(0) : value.toPrecision(2));

const ms = ({ msPerStep }: OptimizerSummary) => short(present(msPerStep, "ms a step"));
