/** @file A range test: the rate against update, and the loss against the rate. */

import { argmin, finiteCurve, medianRate } from "../../analysis/index.ts";
import type { RangeTestRecord } from "../../record/index.ts";
import { type Chart, type Figure, isNarrow, type Layer, yTitle } from "../draw.ts";
import { formatRate } from "../format.ts";
import { seriesLook } from "../palette.ts";
import { textWidth } from "../text-width.ts";
import { decades, integerTicks, linearTicks } from "../ticks.ts";

interface SeedCurve {
  readonly seed: number;
  readonly colour: string;
  readonly raw: readonly { lr: number; loss: number }[];
  readonly smoothed: readonly { lr: number; loss: number }[];
  /** Rate and loss at the smoothed minimum. */
  readonly minimum: { readonly lr: number; readonly loss: number };
}

/** Both figures; none where no seed has a finite loss. */
export function rangeTestFigures(record: RangeTestRecord, slug: string): Figure[] {
  const curves = record.runs.flatMap((run, i): SeedCurve[] => {
    const { lrs, losses } = finiteCurve(run);
    if (losses.length === 0) return [];
    const least = argmin(losses);
    return [
      {
        seed: run.seed,
        colour: seriesLook(i).colour,
        raw: lrs.map((lr, at) => ({ lr, loss: run.points[at]!.loss! })),
        smoothed: lrs.map((lr, at) => ({ lr, loss: losses[at]! })),
        minimum: { lr: lrs[least]!, loss: losses[least]! },
      },
    ];
  });
  if (curves.length === 0) return [];
  const { maxLr, baseLr } = record.suggestion;
  return [
    {
      name: `range-test-${slug}-loss`,
      label:
        `Loss against learning rate, ${record.arm}. Suggested bounds: lower ${formatRate(baseLr)}, ` +
        `upper ${formatRate(maxLr)}.`,
      chart: (width) => lossChart(record, curves, width),
    },
    {
      name: `range-test-${slug}-rate`,
      label: `Learning rate against update, ${record.arm}: from ${formatRate(record.from)} to ${formatRate(record.to)}.`,
      half: true,
      chart: (width) => rateChart(record, width),
    },
  ];
}

/** The greatest loss that is drawn: where the curves began, and half their fall above it. */
export function lossCeiling(curves: readonly Pick<SeedCurve, "smoothed">[]): number {
  const begin = Math.max(
    ...curves.map(({ smoothed }) =>
      Math.max(
        ...smoothed.slice(0, Math.max(1, Math.floor(smoothed.length / 2))).map((p) => p.loss),
      ),
    ),
  );
  const least = Math.min(...curves.flatMap(({ smoothed }) => smoothed.map((p) => p.loss)));
  return begin + Math.max(0.5 * (begin - least), 0.1 * Math.abs(begin));
}

function lossChart(record: RangeTestRecord, curves: readonly SeedCurve[], width: number): Chart {
  const narrow = isNarrow(width);
  const margins = { top: 76, right: 16, bottom: 44, left: 40 };
  const height = narrow ? 330 : 440;
  const plotWidth = width - margins.left - margins.right;
  const plotHeight = height - margins.top - margins.bottom;

  const least = Math.min(...curves.flatMap(({ smoothed }) => smoothed.map((p) => p.loss)));
  const ceiling = lossCeiling(curves);
  // Room for the single batches beneath the smoothed curve, but not for outliers among them.
  const lowest = Math.min(...curves.flatMap(({ raw }) => raw.map((p) => p.loss)));
  const fall = ceiling - least;
  const floor = Math.max(least - 0.55 * fall, Math.min(lowest, least) - 0.06 * fall);
  const domain = [floor, ceiling] as const;
  const rateEnds = [record.from, record.to] as const;
  const xAt = (lr: number) =>
    (Math.log(lr / rateEnds[0]) / Math.log(rateEnds[1] / rateEnds[0])) * plotWidth;

  const x = logRate("lr", rateEnds, narrow ? 4 : 12);
  const y = {
    field: "loss",
    type: "quantitative",
    scale: { domain, nice: false, zero: false },
    axis: {
      ...yTitle("training loss", margins.left, 50),
      values: linearTicks(domain[0], domain[1], narrow ? 5 : 7),
    },
  };
  const curveLayers = (part: "raw" | "smoothed"): Layer[] =>
    curves.map(({ colour, [part]: points }) => ({
      data: { values: points },
      mark: {
        type: "line",
        clip: true,
        color: colour,
        strokeWidth: part === "raw" ? 1 : 2.25,
        opacity: part === "raw" ? 0.28 : 1,
        strokeJoin: "round",
      },
      encoding: { x, y },
    }));

  const { maxLr, baseLr, low, high } = record.suggestion;
  const minimum = medianRate(curves.map((curve) => curve.minimum.lr));
  const inside = (lr: number) => lr >= rateEnds[0] * 0.999 && lr <= rateEnds[1] * 1.001;
  const pixel = (field: string) => ({ field, type: "quantitative", scale: null, axis: null });
  const found = [
    { what: "lower", lr: baseLr, dash: [6, 4] },
    { what: "upper", lr: maxLr, dash: [1, 0] },
    { what: "minimum", lr: minimum, dash: [2, 3] },
  ]
    .filter(({ lr }) => inside(lr))
    .map(({ what, lr, dash }) => ({ text: `${what} ${formatRate(lr)}`, x: xAt(lr), dash }))
    .sort((a, b) => a.x - b.x);
  // Each label has a row of its own, lower ones first where labels stand to the left of their
  // lines, last where they stand to the right: so no label lies across another's line.
  const leftwards = found[0] === undefined || found[0].x > textWidth(found[0].text) + 5;
  const bounds = found.map((bound, i) => {
    const row = -14 - 17 * (leftwards ? i : found.length - 1 - i);
    return { ...bound, row, top: row - 6 };
  });
  const rules = bounds.map(
    (bound): Layer => ({
      data: { values: [bound] },
      mark: { type: "rule", color: "var(--lr-ink)", strokeWidth: 1.25, strokeDash: bound.dash },
      encoding: { x: pixel("x"), y: pixel("top"), y2: { value: plotHeight } },
    }),
  );
  const texts = bounds.map(
    (bound): Layer => ({
      data: { values: [bound] },
      mark: {
        type: "text",
        align: leftwards ? "right" : "left",
        dx: leftwards ? -5 : 5,
        baseline: "middle",
        fontWeight: 600,
      },
      encoding: { x: pixel("x"), y: pixel("row"), text: { field: "text" } },
    }),
  );
  const clampX = (lr: number) => Math.min(Math.max(xAt(lr), 0), plotWidth);
  const spread = [{ x: clampX(low), x2: clampX(high) }];
  const legend = curves.map(({ seed, colour }, i) => ({
    text: `seed ${seed}`,
    colour,
    y: plotHeight - 14 - (curves.length - 1 - i) * 17,
  }));
  return {
    width,
    height,
    margins,
    layers: [
      {
        data: { values: [{ x: clampX(baseLr), x2: clampX(maxLr) }] },
        mark: { type: "rect", color: "var(--lr-ink)", opacity: 0.07 },
        encoding: {
          x: pixel("x"),
          x2: { field: "x2" },
          y: { value: 0 },
          y2: { value: plotHeight },
        },
      },
      ...curveLayers("raw"),
      ...curveLayers("smoothed"),
      ...rules,
      ...(curves.length > 1
        ? [
            {
              data: { values: spread },
              mark: { type: "rule", color: "var(--lr-ink)", strokeWidth: 5, opacity: 0.8 },
              encoding: { x: pixel("x"), x2: { field: "x2" }, y: { value: 0 } },
            },
          ]
        : []),
      ...curves.map(({ colour, minimum: point }) => ({
        data: { values: [point] },
        mark: { type: "circle", size: 60, color: colour, opacity: 1, clip: true },
        encoding: { x, y },
      })),
      ...texts,
      ...(curves.length > 1
        ? [
            {
              data: { values: legend },
              mark: { type: "text", align: "left", baseline: "middle", fontWeight: 600 },
              encoding: {
                x: { value: 10 },
                y: pixel("y"),
                text: { field: "text" },
                color: { field: "colour", type: "nominal", scale: null, legend: null },
              },
            },
          ]
        : []),
    ],
  };
}

function rateChart(record: RangeTestRecord, width: number): Chart {
  const longest = record.runs.reduce((a, b) => (b.points.length > a.points.length ? b : a));
  const points = longest.points.map(({ update, lr }) => ({ update, lr }));
  const margins = { top: 30, right: 16, bottom: 44, left: 48 };
  const last = Math.max(1, points.length - 1);
  return {
    width,
    height: 240,
    margins,
    layers: [
      {
        data: { values: points },
        mark: { type: "line", color: "var(--lr-1)", strokeWidth: 2 },
        encoding: {
          x: updateAxis("update", [0, last]),
          y: {
            ...logRate("lr", [record.from, record.to], 8),
            axis: {
              ...yTitle("learning rate", margins.left),
              values: decades(record.from, record.to, 8),
              labelExpr: RATE_LABEL,
            },
          },
        },
      },
    ],
  };
}

/** Axis labels as `formatRate` writes them: 1e-3, but 0.01 and up in full. */
export const RATE_LABEL =
  "datum.value >= 0.01 && datum.value < 1000 ? format(datum.value, '~g') : " +
  "replace(format(datum.value, '.0e'), '+', '')";

const logRate = (field: string, domain: readonly [number, number], count: number) => ({
  field,
  type: "quantitative",
  scale: { type: "log", domain, nice: false },
  axis: {
    title: "learning rate (log scale)",
    values: decades(domain[0], domain[1], count),
    labelExpr: RATE_LABEL,
  },
});

/** An x axis of updates over [first, last]. */
export const updateAxis = (
  field: string,
  [first, last]: readonly [number, number],
  title = "update",
  count = 5,
) => ({
  field,
  type: "quantitative",
  scale: { domain: [first, last], nice: false, zero: false },
  axis: { title, values: integerTicks(first, last, count), format: ",d" },
});
