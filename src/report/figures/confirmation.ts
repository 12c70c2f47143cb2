/** @file Whether short runs confirm a range test: accuracy at the suggested rate, a third of it and three times it. */

import type { RangeTestRecord } from "../../record/index.ts";
import type { Figure } from "../draw.ts";
import { counted, formatRate, percent, percentSpread } from "../format.ts";
import { percentAxis } from "../plot/axes.ts";
import { drawRows, type RowPlot } from "../plot/row-plot.ts";
import { fractionDomain } from "../ticks.ts";

/** A row a rate, ascending; null of a test that was not confirmed. */
export function confirmationFigure(
  { arm, confirmation }: RangeTestRecord,
  slug: string,
): Figure | null {
  if (!confirmation) return null;
  const { candidates, seeds, epochs } = confirmation;
  const ascending = [...candidates].sort((a, b) => a.rate - b.rate);
  const values = ascending.flatMap(({ validationAccuracy }) =>
    validationAccuracy.values.filter((value) => value !== null),
  );
  if (values.length === 0) return null;
  const nameOf = ({ rate, factor }: (typeof candidates)[number]) =>
    `${formatRate(rate)} (${factor === 1 ? "suggested" : factor < 1 ? `1/${Math.round(1 / factor)} of it` : `${factor} times`})`;
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
    name: `range-test-${slug}-confirmation`,
    label: `Short runs of ${arm} at rates about the suggested one. ${ascending
      .map((candidate) => `${nameOf(candidate)}: ${percentSpread(candidate.validationAccuracy)}`)
      .join("; ")}`,
    draw: (width) => drawRows(plot, width),
  };
}
