/** @file Short runs at rates about the one that a range test suggests: those that confirm it, and those that tune it. */

import type { RangeTestRecord, Spread } from "../../record/index.ts";
import type { Figure } from "../draw.ts";
import { counted, formatRate, percent, percentSpread } from "../format.ts";
import { percentAxis } from "../plot/axes.ts";
import { drawRows, type RowPlot } from "../plot/row-plot.ts";
import { fractionDomain } from "../ticks.ts";

interface Runs {
  readonly epochs: number;
  readonly seeds: readonly number[];
  readonly candidates: readonly {
    readonly factor: number;
    readonly rate: number;
    readonly validationAccuracy: Spread;
  }[];
}

/** Accuracy at a third of the rate, at it and at three times it; null of a test that was not confirmed. */
export const confirmationFigure = (
  { arm, confirmation }: RangeTestRecord,
  slug: string,
): Figure | null =>
  confirmation ? ratesFigure(confirmation, { arm, name: `range-test-${slug}-confirmation` }) : null;

/** Accuracy at each rate that was tried; null of a test whose rate was not tuned. */
export const tuningFigure = ({ arm, tuning }: RangeTestRecord, slug: string): Figure | null =>
  tuning ? ratesFigure(tuning, { arm, name: `range-test-${slug}-tuning` }) : null;

/** "0.0121 (suggested)", "0.0242 (2 times)", "6.05e-3 (1/2 of it)" */
const nameOf = ({ rate, factor }: Runs["candidates"][number]) =>
  `${formatRate(rate)} (${factor === 1 ? "suggested" : factor < 1 ? `1/${Math.round(1 / factor)} of it` : `${factor} times`})`;

/** A row a rate, ascending; null where no run has an accuracy. */
function ratesFigure(
  { candidates, seeds, epochs }: Runs,
  { arm, name }: { arm: string; name: string },
): Figure | null {
  const ascending = [...candidates].sort((a, b) => a.rate - b.rate);
  const values = ascending.flatMap(({ validationAccuracy }) =>
    validationAccuracy.values.filter((value) => value !== null),
  );
  if (values.length === 0) return null;
  const plot: RowPlot = {
    axis: percentAxis(
      `validation accuracy after ${counted(epochs, "epoch")}`,
      fractionDomain(values),
    ),
    rows: ascending.map((candidate) => ({
      name: nameOf(candidate),
      colour: candidate.factor === 1 ? "var(--lr-1)" : "var(--lr-ink)",
      value: percentSpread(candidate.validationAccuracy),
      centre: candidate.validationAccuracy.mean,
      dots: candidate.validationAccuracy.values.flatMap((x, i) =>
        x === null ? [] : [{ x, tip: `${nameOf(candidate)}, seed ${seeds[i]}: ${percent(x)}` }],
      ),
    })),
  };
  return {
    name,
    label: `Short runs of ${arm} at rates about the suggested one. ${ascending
      .map((candidate) => `${nameOf(candidate)}: ${percentSpread(candidate.validationAccuracy)}`)
      .join("; ")}`,
    draw: (width) => drawRows(plot, width),
  };
}
