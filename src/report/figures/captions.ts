/** @file The sentence beneath each figure. */

import type { ArmConfusion, RangeTestRecord } from "../../record/index.ts";
import { formatRate } from "../format.ts";
import type { ReportInput } from "../types.ts";
import type { Measure } from "./arms.ts";

export const captions = {
  finalAccuracy:
    "A dot for each seed, a tall stroke at their mean, a thin line with ends for its 95% interval from three seeds on, and without ends from one of two seeds to the other; an interval that leaves the frame is cut off. At the right the mean, ± the standard deviation over the seeds.",
  paired:
    "A dot for each seed, a tall stroke at the mean, a line with ends for the 95% t interval of that pair alone. Blue where the tests, corrected for all pairs, tell the two apart.",
  profile:
    "Higher and further left is faster. Each curve rises where one more target is reached, by one more seed, within that multiple of the fastest arm’s cost; a miss never is.",
  sensitivity: "Line: mean over seeds. The flatter about its top, the less an arm minds its rate.",
  confirmation: "A dot for each seed, a stroke at their mean; the suggested rate in blue.",
  perClass: (part: "validation" | "test") =>
    `${part === "test" ? "With the weights of the best epoch" : "After the last epoch"}: a dot for each seed, a stroke at their mean.`,

  curves(measure: Measure, { trials }: ReportInput): string {
    const seeds = new Set(trials.map(({ trial }) => trial.seed)).size;
    const shown = seeds > 1 ? "Line: mean over seeds; band: least to greatest. " : "";
    const diverged = trials.some(({ trial }) => trial.status === "diverged")
      ? " A diverged seed counts as far as it came; × marks an arm of which none went on."
      : "";
    return measure.startsWith("train")
      ? `${shown}On the augmented batches as they were trained on, during the epoch.`
      : `${shown}On the validation images, after each epoch.${diverged}`;
  },

  rangeTest({ suggestion, runs, reading }: RangeTestRecord): string {
    const said = suggestion && {
      averaged: `Solid: the constant rate (${formatRate(suggestion.constant.rate)}). Shaded: a cycle’s rates, from ${formatRate(suggestion.peak.baseLr)} to the peak (${formatRate(suggestion.peak.rate)}).`,
      published: `Shaded: from the lower bound (${formatRate(suggestion.peak.baseLr)}) to the upper (${formatRate(suggestion.peak.rate)}, rule ${suggestion.peak.rule}).`,
    };
    return (
      (runs.length > 1
        ? "Thin lines are smoothed losses, one a seed, a dot at each minimum; the thick line is their median, the band goes from the least to the greatest; the faint lines are single batches. "
        : "The thin line is the loss of each batch, the thick one smoothed, a dot at its minimum. ") +
      (said ? said[reading] : "Nothing is suggested, so nothing is shaded.") +
      (runs.length > 1 && suggestion
        ? ` The bar on top spans the rates of the seeds’ own curves${suggestion.constant.interval ? ", the thinner one the 95% interval" : ""}.`
        : "") +
      " Losses above the frame are cut off."
    );
  },

  confusion: ({ part }: ArmConfusion) =>
    `Images of the ${part} part, summed over seeds, each with the weights of its best epoch.`,
};
