/** @file What the runs that tuned a rate found, in words for a terminal. */

import { at } from "../../core/at.ts";
import { percentDigits } from "../../core/words.ts";
import type { RangeTestRecord, Spread } from "../../record/index.ts";
import type { Colors } from "../terminal.ts";
import { accuracy, plural, rate } from "./format.ts";

/** "1.2 points (paired 95% interval -0.3 to 2.7)" */
function pointsOf({ mean, interval }: Spread): string {
  const paired = interval
    ? ` (paired 95% interval ${percentDigits(interval.low)} to ${percentDigits(interval.high)})`
    : "";
  return `${percentDigits(mean ?? 0)} points${paired}`;
}

const spread = ({ mean, sd }: Spread) =>
  sd === null ? accuracy(mean) : `${accuracy(mean)} ± ${accuracy(sd)}`;

/** A line a rate, the rate that is best, and the regret of the suggestion; nothing without a tuning. */
export function tuningText({ tuning }: RangeTestRecord, colors: Colors): string[] {
  if (!tuning) return [];
  const { candidates, epochs, seeds, regret, interval, bracketed } = tuning;
  const what = tuning.schedule === null ? "rate" : `peak of ${tuning.schedule}`;
  const marks = (candidate: (typeof candidates)[number]) => [
    ...(candidate.factor === 1 ? ["suggested"] : []),
    ...(candidate.rate === tuning.rate ? ["best"] : []),
    ...(candidate.diverged > 0 ? [`${candidate.diverged} of ${seeds.length} diverged`] : []),
  ];
  const end = tuning.rate === at(candidates, -1, "candidates").rate ? "greatest" : "least";
  return [
    "",
    `Tuned by ${plural(epochs, "epoch")} at each ${what}, seeds ${seeds.join(", ")}; validation accuracy:`,
    ...candidates.map((candidate) => {
      const said = marks(candidate).join(", ");
      return `  ${rate(candidate.rate).padEnd(9)} ${spread(candidate.validationAccuracy)}${said && `   (${said})`}`;
    }),
    `Tuned ${what}: ${colors.bold(rate(tuning.rate))}   (95% interval over the seeds ${rate(interval.low)} to ${rate(interval.high)})`,
    regret.mean === 0
      ? `Regret of the suggestion: ${colors.bold("none")}`
      : `Regret of the suggestion: ${colors.bold(pointsOf(regret))}`,
    ...(bracketed
      ? []
      : [
          colors.yellow(
            `Note: the best ${what} is the ${end} that is tried; ${end === "greatest" ? "greater" : "lesser"} ones may do better still`,
          ),
        ]),
    "",
  ];
}
