/** @file A range test: the loss against the rate, a line a seed, their band, and what each rule reads. */

import { argmin, finiteCurve, medianRate, rangeTestBand } from "../../analysis/index.ts";
import { at, get } from "../../core/at.ts";
import { greatestOf, leastOf } from "../../core/extremes.ts";
import type { RangeTestRecord, RangeTestSuggestion, SuggestedRate } from "../../record/index.ts";
import { type Figure, lineFigure, NARROW, WIDE } from "../draw.ts";
import { formatRate, short } from "../format.ts";
import { seriesLook } from "../palette.ts";
import { linearRateAxis, logRateAxis, numberAxis, updateAxis } from "../plot/axes.ts";
import { type Axis, type Frame, type Line, type Mark, pixelOf } from "../plot/line-plot.ts";
import { simplified } from "../simplify.ts";
import { textWidth } from "../text-width.ts";

/** Seeds are labelled at the ends of their lines, up to so many; in so many pixels. */
const MOST_LABELS = 10;
const LABEL_ROOM = 76;

interface SeedCurve {
  readonly seed: number;
  readonly colour: string;
  readonly dash: readonly number[];
  readonly raw: readonly { lr: number; loss: number }[];
  readonly smoothed: readonly { lr: number; loss: number }[];
  /** Rate and loss at the smoothed minimum. */
  readonly minimum: { readonly lr: number; readonly loss: number };
}

/** Loss and rate; none where no seed has a finite loss. */
export function rangeTestFigures(record: RangeTestRecord, slug: string): Figure[] {
  const curves = record.runs.flatMap((run, i): SeedCurve[] => {
    const { lrs, losses } = finiteCurve(run);
    if (losses.length === 0) return [];
    const least = argmin(losses);
    return [
      {
        seed: run.seed,
        colour: seriesLook(i).colour,
        dash: seriesLook(i).dash,
        raw: lrs.map((lr, place) => ({
          lr,
          loss: get(at(run.points, place, "points"), "loss", "point"),
        })),
        smoothed: lrs.map((lr, place) => ({ lr, loss: at(losses, place, "losses") })),
        minimum: { lr: at(lrs, least, "lrs"), loss: at(losses, least, "losses") },
      },
    ];
  });
  if (curves.length === 0) return [];
  return [lossFigure(record, curves, slug), rateFigure(record, slug)];
}

/** The greatest loss that is drawn: where the curves began, and half their fall above it. */
export function lossCeiling(curves: readonly Pick<SeedCurve, "smoothed">[]): number {
  const begin = greatestOf(
    curves.map(({ smoothed }) =>
      greatestOf(
        smoothed.slice(0, Math.max(1, Math.floor(smoothed.length / 2))).map((p) => p.loss),
      ),
    ),
  );
  const least = leastOf(curves.flatMap(({ smoothed }) => smoothed.map((p) => p.loss)));
  return begin + Math.max(0.5 * (begin - least), 0.1 * Math.abs(begin));
}

function lossFigure(record: RangeTestRecord, curves: readonly SeedCurve[], slug: string): Figure {
  const { suggestion } = record;
  const least = leastOf(curves.flatMap(({ smoothed }) => smoothed.map((p) => p.loss)));
  const ceiling = lossCeiling(curves);
  // Room for the single batches beneath the smoothed curve, but not for outliers among them.
  const lowest = leastOf(curves.flatMap(({ raw }) => raw.map((p) => p.loss)));
  const fall = ceiling - least;
  const floor = Math.max(least - 0.55 * fall, Math.min(lowest, least) - 0.06 * fall);
  const xAxis = logRateAxis("learning rate (log scale)", [record.from, record.to]);
  const several = curves.length > 1;
  const labelled = several && curves.length <= MOST_LABELS;
  const marks = marksOf(record, curves, xAxis, labelled ? LABEL_ROOM : 16);
  const top = 24 + 17 * marks.length + 16;
  const frame = (height: number): Frame => ({
    height: height + top,
    top,
    right: labelled ? LABEL_ROOM : 16,
    bottom: 46,
    left: 44,
  });
  const lineOf = (curve: SeedCurve, part: "raw" | "smoothed"): Line => ({
    key: part === "raw" ? "single batches" : `seed ${curve.seed}`,
    name: `seed ${curve.seed}`,
    colour: curve.colour,
    dash: part === "raw" ? [1, 0] : curve.dash,
    width: part === "raw" ? 1 : several ? 1.5 : 2.25,
    ...(part === "raw" ? { opacity: several ? 0.14 : 0.28, silent: true } : {}),
    x: [curve[part].map(({ lr }) => Number(lr.toPrecision(5)))],
    y: curve[part].map(({ loss }) => short(loss)),
    ...(labelled && part === "smoothed"
      ? { labels: [`seed ${curve.seed}`, `seed ${curve.seed}`] as const }
      : {}),
  });
  const plot = {
    name: `range-test-${slug}-loss`,
    x: [xAxis],
    y: [numberAxis("training loss, nats", [floor, ceiling])],
    frames: [frame(350), frame(250)] as const,
    lines: [
      ...curves.map((curve) => lineOf(curve, "raw")),
      ...curves.map((curve) => lineOf(curve, "smoothed")),
      ...(several ? [medianLine(record)] : []),
    ],
    bands: several ? [{ name: "range", choice: "least to greatest" }] : [],
    marks,
    ...(suggestion ? { shade: [suggestion.peak.baseLr, suggestion.peak.rate] as const } : {}),
    bars: several && suggestion ? barsOf(suggestion.constant) : [],
    points: curves.map(({ seed, colour, minimum }) => ({
      key: `seed ${seed}`,
      x: minimum.lr,
      y: minimum.loss,
      colour,
    })),
    clip: true,
  };
  return lineFigure(plot, {
    label:
      `Loss against learning rate, ${record.arm}. ${suggestion ? suggestedText(suggestion, several) : "Nothing is suggested"}. ` +
      marks.map(({ texts }) => texts[0]).join("; "),
  });
}

/** The seeds' own, and the interval. */
const barsOf = ({ low, high, interval }: SuggestedRate) => [
  ...(interval ? [{ from: interval.low, to: interval.high, width: 2 }] : []),
  { from: low, to: high, width: 5 },
];

function suggestedText({ constant, peak }: RangeTestSuggestion, several: boolean): string {
  const seeds = several
    ? `; over seeds the first lies between ${formatRate(constant.low)} and ${formatRate(constant.high)}`
    : "";
  return `Suggested: a constant rate of ${formatRate(constant.rate)}, a cycle from ${formatRate(peak.baseLr)} to ${formatRate(peak.rate)}${seeds}`;
}

/** Median over the seeds, with the least and the greatest, all of smoothed losses. */
function medianLine({ runs }: RangeTestRecord): Line {
  const band = rangeTestBand(runs);
  return {
    key: "median of seeds",
    name: "median",
    colour: "var(--lr-ink)",
    dash: [1, 0],
    width: 2.5,
    x: [band.map(({ lr }) => Number(lr.toPrecision(5)))],
    y: band.map(({ median }) => short(median)),
    n: band.map(({ count }) => count),
    bands: {
      range: { low: band.map(({ min }) => short(min)), high: band.map(({ max }) => short(max)) },
    },
  };
}

/** Every rule's reading, the lower bound and the minimum; each label where it covers nothing. */
function marksOf(
  record: RangeTestRecord,
  curves: readonly SeedCurve[],
  axis: Axis,
  right: number,
): Mark[] {
  const { suggestion, suggestions } = record;
  const found = [
    ...(suggestion ? marksOfSuggestion(suggestion) : []),
    ...Object.entries(suggestions)
      .filter(([rule]) => rule !== suggestion?.constant.rule)
      .map(([rule, x]) => ({
        text: `${rule} ${formatRate(x)}`,
        x,
        dash: [3, 3],
        key: rule,
        colour: "var(--lr-muted)",
      })),
    ...(() => {
      const x = medianRate(curves.map((curve) => curve.minimum.lr));
      return [
        {
          text: `minimum ${formatRate(x)}`,
          x,
          dash: [1, 3],
          key: "minimum",
          colour: "var(--lr-muted)",
        },
      ];
    })(),
  ]
    .filter(({ x }) => x >= record.from * 0.999 && x <= record.to * 1.001)
    .sort((a, b) => a.x - b.x);
  const wide = arrangeMarks(found, axis, WIDE - 44 - right);
  // On a phone the rule's name stands in the table beneath.
  const brief = found.map((mark) => ({ ...mark, text: mark.text.replace(/ \(.*/, "") }));
  const narrow = arrangeMarks(brief, axis, NARROW - 44 - right);
  return found.map(({ text, ...mark }, i) => ({
    ...mark,
    texts: [text, at(brief, i, "brief").text],
    rows: [at(wide, i, "wide").row, at(narrow, i, "narrow").row],
    sides: [at(wide, i, "wide").side, at(narrow, i, "narrow").side],
  }));
}

/** A published reading has one upper bound for every use. */
function marksOfSuggestion({ constant, peak }: RangeTestSuggestion) {
  const lower = { text: `lower ${formatRate(peak.baseLr)}`, x: peak.baseLr, dash: [6, 4] };
  const solid = { x: constant.rate, dash: [1, 0] };
  if (constant.rate === peak.rate)
    return [lower, { ...solid, text: `upper ${formatRate(peak.rate)} (${peak.rule})` }];
  return [
    lower,
    { ...solid, text: `constant ${formatRate(constant.rate)} (${constant.rule})` },
    { text: `peak ${formatRate(peak.rate)}`, x: peak.rate, dash: [6, 4] },
  ];
}

/**
 * Marks ascending by x: the first few labels lie to the right of their lines, leftmost highest, the
 * others to the left of theirs, rightmost highest, and a line ends at its label: so no label lies
 * across a line of its own side. The split is the one with the fewest labels that leave the plot or
 * lie across a line of the other side.
 */
export function arrangeMarks(
  marks: readonly { readonly x: number; readonly text: string }[],
  axis: Axis,
  width: number,
): { row: number; side: "left" | "right" }[] {
  const places = marks.map(({ x, text }) => ({
    x: pixelOf(axis, x, width),
    room: textWidth(text) + 8,
  }));
  const count = marks.length;
  const faultsOf = (split: number, rightsAbove: boolean) => {
    const faults = places.map(({ x, room }, i) => {
      const toRight = i < split;
      const out = toRight ? x + room > width : x - room < -30;
      // Lines of the side that lies above pass the labels of the side beneath, not the reverse.
      const crossed = places.filter(
        (other, j) =>
          j < split !== toRight &&
          rightsAbove !== toRight &&
          (toRight ? other.x > x && other.x < x + room : other.x < x && other.x > x - room),
      ).length;
      return (out ? 10 : 0) + crossed;
    });
    return faults.reduce((a, b) => a + b, 0);
  };
  const choices = Array.from({ length: count + 1 }, (_, split) => split).flatMap((split) =>
    [true, false].map((rightsAbove) => ({
      split,
      rightsAbove,
      faults: faultsOf(split, rightsAbove),
    })),
  );
  const { split, rightsAbove } = choices.reduce((a, b) => (b.faults < a.faults ? b : a));
  const lefts = count - split;
  return places.map((_, i) =>
    i < split
      ? { row: split - 1 - i + (rightsAbove ? lefts : 0), side: "right" as const }
      : { row: i - split + (rightsAbove ? 0 : split), side: "left" as const },
  );
}

function rateFigure(record: RangeTestRecord, slug: string): Figure {
  const longest = record.runs.reduce((a, b) => (b.points.length > a.points.length ? b : a));
  const all = longest.points.map(({ update, lr }) => ({ update, lr }));
  // The points without which the curve would bend on either axis.
  const kept = new Set(
    [
      ...simplified(
        all.map(({ update, lr }) => ({ update, lr: Math.log(lr) })),
        0.01,
      ),
      ...simplified(all, 2e-3 * record.to),
    ].map(({ update }) => update),
  );
  const points = all.filter(({ update }) => kept.has(update));
  const frame: Frame = { height: 240, top: 30, right: 18, bottom: 46, left: 48 };
  return lineFigure(
    {
      name: `range-test-${slug}-rate`,
      x: [updateAxis(0, Math.max(1, all.length - 1))],
      y: [
        logRateAxis("learning rate (log scale)", [record.from, record.to]),
        linearRateAxis("learning rate", record.to),
      ],
      frames: [frame, frame],
      lines: [
        {
          key: "rate",
          name: "learning rate",
          colour: "var(--lr-1)",
          dash: [1, 0],
          x: [points.map(({ update }) => update)],
          y: points.map(({ lr }) => Number(lr.toPrecision(5))),
          continuous: true,
        },
      ],
      bands: [],
    },
    {
      label: `Learning rate against update, ${record.arm}: from ${formatRate(record.from)} to ${formatRate(record.to)}.`,
      half: true,
    },
  );
}
