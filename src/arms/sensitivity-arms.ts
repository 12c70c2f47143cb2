/** @file The arms of a sensitivity analysis: each as it was asked for, and at multiples of its rate. */

import { sensitivityFactors } from "../analysis/index.ts";
import { ArgumentError } from "../core/errors.ts";
import { MOST_MULTIPLES } from "../core/limits.ts";
import type { ArmRecord } from "../record/index.ts";
import { isSpecified } from "./arm-schedules.ts";
import { saysItsRates } from "./own-parts.ts";

/**
 * Each arm at `count` multiples of its rate, from 1/10 to 10: "adam x0.1", "adam x0.3162", "adam", ...
 * @throws ArgumentError unless count is odd, and from 3 to 1001, so that the arm's own rate is among them
 */
export function withSensitivity(arms: readonly ArmRecord[], count: number): ArmRecord[] {
  if (!(Number.isInteger(count) && count >= 3 && count <= MOST_MULTIPLES && count % 2 === 1))
    throw new ArgumentError(
      `arms: sensitivity must be an odd number from 3 to ${MOST_MULTIPLES}, so that each arm's own rate is among them; got ${count}`,
    );
  const fixed = arms.find(({ schedule }) => isSpecified(schedule) || saysItsRates(schedule));
  if (fixed)
    throw new ArgumentError(
      `arms: the schedule of "${fixed.name}" says its rates itself, so that they cannot be multiplied; leave it or the sensitivity out`,
    );
  return arms.flatMap((arm) =>
    sensitivityFactors(count).map((factor) => {
      const sensitivity = { of: arm.name, factor };
      if (factor === 1) return { ...arm, sensitivity };
      const { learningRate } = arm;
      return {
        ...arm,
        name: `${arm.name} x${factor}`,
        slug: `${arm.slug}_x${factor}`,
        learningRate: learningRate && Number((learningRate * factor).toPrecision(12)),
        sensitivity,
      };
    }),
  );
}
