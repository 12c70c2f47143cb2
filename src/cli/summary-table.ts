/** @file The table at the end of a comparison. */

import type { OptimizerSummary, Spread, SummaryRecord } from "../record/index.ts";
import { accuracy, rate, textTable } from "./format.ts";
import type { Colors } from "./terminal.ts";

/** Best mean final accuracy first; accuracies are means over the seeds, with the deviation. */
export function summaryTable(summary: SummaryRecord, colors: Colors): string {
  const order = (entry: OptimizerSummary) => entry.finalValidationAccuracy.mean ?? -1;
  const sorted = [...summary.optimizers].sort((a, b) => order(b) - order(a));
  const seeds = summary.protocol.seeds.length;
  return [
    `Validation accuracy after ${summary.protocol.epochs} epochs${seeds > 1 ? `: mean ± standard deviation of ${seeds} runs` : ""}`,
    "",
    textTable(
      ["optimizer", "learning rate", "final", "best", "last 10 epochs", "ms/step", "diverged"],
      sorted.map((entry) => [
        entry.name,
        rates(entry.learningRates),
        spread(entry.finalValidationAccuracy),
        spread(entry.bestValidationAccuracy),
        spread(entry.last10ValidationAccuracy),
        entry.msPerStep === null ? "-" : entry.msPerStep.toFixed(entry.msPerStep < 10 ? 2 : 1),
        entry.diverged === 0 ? "-" : `${entry.diverged} of ${entry.seeds.length}`,
      ]),
      ["left", "right", "right", "right", "right", "right", "right"],
      colors,
    ),
  ].join("\n");
}

function spread({ mean, sd }: Spread): string {
  return sd === null ? accuracy(mean) : `${accuracy(mean)} ± ${accuracy(sd)}`;
}

/** One where all seeds had the same; else the least and the greatest. */
function rates(values: readonly number[]): string {
  const least = rate(Math.min(...values));
  const greatest = rate(Math.max(...values));
  return values.length === 0 ? "-" : least === greatest ? least : `${least} - ${greatest}`;
}
