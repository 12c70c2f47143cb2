/** @file The columns of the table of results, and which of them a terminal has room for. */

import { percent, percentDigits } from "../../core/words.ts";
import type { OptimizerSummary, Spread } from "../../record/index.ts";
import { columnsOf } from "./columns.ts";
import { rate } from "./format.ts";

export interface Column {
  readonly title: string;
  /** One a row. */
  readonly cells: readonly string[];
  /** The greatest go first where the width does not suffice; 0 stays always. */
  readonly dispensable: number;
}

const GAP = 2;

function spread({ mean, sd }: Spread): string {
  if (mean === null) return "-";
  return `${percentDigits(mean)}${sd === null ? "" : ` ± ${percentDigits(sd)}`}`;
}

const interval = ({ interval: found }: Spread) =>
  found ? `${percentDigits(found.low)} to ${percentDigits(found.high)}` : "-";

/** Everything that is worth a column, in the order in which they stand; empty ones left out. */
export function armColumns(arms: readonly OptimizerSummary[]): Column[] {
  const column = (
    title: string,
    dispensable: number,
    read: (arm: OptimizerSummary) => string,
  ): Column => ({ title, dispensable, cells: arms.map(read) });
  const share = ({ optimizerShare: value }: OptimizerSummary) =>
    typeof value === "number" ? percent(value) : "-";
  const columns = [
    column("arm", 0, ({ name }) => name),
    column("final", 0, (arm) => spread(arm.finalValidationAccuracy)),
    column("95% interval", 4, (arm) => interval(arm.finalValidationAccuracy)),
    column("best", 1, (arm) => spread(arm.bestValidationAccuracy)),
    column("last 10", 3, (arm) => spread(arm.last10ValidationAccuracy)),
    column("test", 2, (arm) => (arm.testAccuracy ? spread(arm.testAccuracy) : "-")),
    column("loss", 8, ({ finalValidationLoss: loss }) =>
      loss?.mean == null ? "-" : loss.mean.toFixed(3),
    ),
    column("gap", 9, ({ generalisationGap: gap }) =>
      gap?.mean == null ? "-" : percentDigits(gap.mean),
    ),
    column("area", 10, ({ accuracyArea: area }) =>
      area?.mean == null ? "-" : area.mean.toFixed(3),
    ),
    column("learning rate", 7, ({ learningRates }) => {
      const rates = [...new Set(learningRates.map(rate))];
      return rates.length > 2 ? `${rates[0]}, ...` : rates.join(", ") || "-";
    }),
    column("ms/step", 2, ({ msPerStep: ms }) =>
      ms === null ? "-" : ms >= 100 ? ms.toFixed(0) : ms.toPrecision(2),
    ),
    column("optimizer", 6, share),
    column("seeds", 5, ({ seeds }) => String(seeds.length)),
    column("diverged", 1, ({ diverged, seeds }) =>
      diverged === 0 ? "-" : `${diverged} of ${seeds.length}`,
    ),
    // Failed, pruned or not finished: the means are without them, as without those that diverged.
    column("missing", 1, ({ failed = 0, pruned = 0, unfinished = 0, seeds }) => {
      const missing = failed + pruned + unfinished;
      return missing === 0 ? "-" : `${missing} of ${seeds.length}`;
    }),
  ];
  return columns.filter(
    ({ dispensable, cells }) => dispensable === 0 || cells.some((cell) => cell !== "-"),
  );
}

/** As many of the columns as fit the width, the most dispensable left out first. */
export function fitting(columns: readonly Column[], width: number): Column[] {
  let kept = [...columns];
  const needed = () =>
    kept.reduce(
      (sum, { title, cells }) => sum + Math.max(columnsOf(title), ...cells.map(columnsOf)) + GAP,
      -GAP,
    );
  while (needed() > width) {
    const least = Math.max(...kept.map(({ dispensable }) => dispensable));
    if (least === 0) break;
    kept = kept.filter(({ dispensable }) => dispensable !== least);
  }
  return kept;
}
