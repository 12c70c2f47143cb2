/**
 * @file A range test's plot with the bounds that a reader has chosen, in place of those that were suggested; its labels
 * are placed for the width that there is, so that no line goes through one of them.
 */

import { at } from "../src/core/at.ts";
import { type LinePlot, type Mark, pixelOf } from "../src/report/plot/line-plot.ts";
import { textWidth } from "../src/report/text-width.ts";
import { formatRate } from "../src/schedules/index.ts";

export interface Bounds {
  readonly low: number;
  readonly high: number;
}

/** Labels of the bounds that were suggested begin with one of these. */
const SUGGESTED = /^(lower|peak|upper) /;

/** The plot as it is drawn in so many pixels. */
export function withBounds(plot: LinePlot, { low, high }: Bounds, width: number): LinePlot {
  const side = width < 600 ? 1 : 0;
  const bound = (name: string, x: number): Pick<Mark, "x" | "texts" | "dash"> => {
    const text = `${name} ${formatRate(x)}`;
    return { x, texts: [text, text], dash: [6, 4] };
  };
  const marks = [
    ...(plot.marks ?? []).filter(({ texts }) => !SUGGESTED.test(texts[0])),
    ...[bound("lower", low), bound("upper", high)],
  ].toSorted((a, b) => a.x - b.x);
  const frame = plot.frames[side];
  const extent = width - frame.left - frame.right;
  const axis = at(plot.x, 0, "x");
  const placed = placeMarks(
    marks.map(({ x, texts }) => ({
      x: pixelOf(axis, x, extent),
      room: textWidth(texts[side]) + 9,
    })),
    { from: -frame.left, to: extent + frame.right },
  );
  const top = 40 + 17 * marks.length;
  const taller = (each: LinePlot["frames"][0]) => ({
    ...each,
    top,
    height: each.height - each.top + top,
  });
  return {
    ...plot,
    frames: [taller(plot.frames[0]), taller(plot.frames[1])],
    shade: [low, high],
    marks: marks.map((mark, i) => {
      const { row, side: to } = at(placed, i, "placed");
      return { ...mark, rows: [row, row], sides: [to, to] };
    }),
  };
}

/** Pixels between a line and its label, but for one. */
const GAP = 4;

interface Wanted {
  /** Pixels. */
  readonly x: number;
  /** Of its label. */
  readonly room: number;
}

interface Placed {
  /** From 0, beside the plot. */
  readonly row: number;
  readonly side: "left" | "right";
}

/**
 * A row for each label, from beneath. A line goes from its own row down, through the rows beneath: so a label is free
 * where no mark that has no row yet lies within it. What is placed leaves more room to all others, and the first that
 * is free may be taken; where none is, the one with the fewest lines through it.
 * @param marks ascending by x
 */
export function placeMarks(
  marks: readonly Wanted[],
  { from, to }: { readonly from: number; readonly to: number },
): Placed[] {
  const placed = new Map<Wanted, Placed>();
  for (let row = 0; row < marks.length; row++) {
    const left = marks.filter((mark) => !placed.has(mark));
    // From both ends, so that labels lie in steps.
    const choices = [
      ...left.toReversed().map((mark) => ({ mark, side: "right" as const })),
      ...left.map((mark) => ({ mark, side: "left" as const })),
    ].map((choice) => ({ ...choice, faults: faultsOf(choice, left, { from, to }) }));
    const { mark, side } = choices.reduce((a, b) => (b.faults < a.faults ? b : a));
    placed.set(mark, { row, side });
  }
  return marks.map((mark) => placed.get(mark) ?? { row: 0, side: "right" });
}

function faultsOf(
  { mark, side }: { readonly mark: Wanted; readonly side: "left" | "right" },
  others: readonly Wanted[],
  { from, to }: { readonly from: number; readonly to: number },
): number {
  const [low, high] =
    side === "right" ? [mark.x, mark.x + mark.room] : [mark.x - mark.room, mark.x];
  const isOut = low < from || high > to;
  // Between a line and its own label others have room.
  const crossed = others.filter(({ x }) => x > low && x < high && Math.abs(x - mark.x) > GAP);
  return (isOut ? 100 : 0) + crossed.length;
}
