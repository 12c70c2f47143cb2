/**
 * @file A measure's figure as the report has it, with what a page adds to choose from: updates and log scales, the
 * standard deviation as a band, smoothing, every seed. Without a choice it is the report's figure, to the byte.
 */

import type { ExperimentRecord, TrialHistory } from "../src/record/index.ts";
import { BANDS, bandsOf, measuredCurve } from "../src/report/figures/arm-curve.ts";
import {
  armsOf,
  curveOf,
  type Measure,
  type ReportArm,
  secondsOf,
} from "../src/report/figures/arms.ts";
import { curvesFigure } from "../src/report/figures/curves.ts";
import { short } from "../src/report/format.ts";
import { numberAxis, updateAxis } from "../src/report/plot/axes.ts";
import type { Axis, Line, LinePlot } from "../src/report/plot/line-plot.ts";
import type { SeedLine } from "./seeds-canvas.ts";
import { smoothed } from "./smoothing.ts";

export interface LiveOptions {
  readonly experiment: ExperimentRecord;
  readonly trials: readonly TrialHistory[];
  /** Of several studies: each by the name that its arms have in front. */
  readonly experiments?: readonly {
    readonly name: string;
    readonly experiment: ExperimentRecord;
  }[];
  /** Weight of the past, 0 to below 1; 0: none. */
  readonly smoothing: number;
  /** CSS colours by arm, where the reader has chosen. */
  readonly colours: ReadonlyMap<string, string>;
  /** Kind of band that is shown. */
  readonly band: string;
  /** Whether seeds that failed or diverged have their line. */
  readonly failed: boolean;
}

export interface LivePlot {
  readonly plot: LinePlot;
  readonly seeds: readonly SeedLine[];
  readonly label: string;
}

type ArmOptions = Omit<LiveOptions, "smoothing" | "failed" | "band">;

/** Every arm of a study as the report looks at it, in the colours that the reader has chosen. */
export function liveArms(options: ArmOptions): readonly ReportArm[] {
  const { experiment, trials, colours, experiments = [] } = options;
  const arms =
    ARMS.get(options) ??
    armsOf({ experiment, trials, experiments }).map((arm): ReportArm => {
      const colour = colours.get(arm.name);
      return colour === undefined ? arm : { ...arm, look: { ...arm.look, colour } };
    });
  ARMS.set(options, arms);
  return arms;
}

/** Of one drawing: its charts have the same arms. */
const ARMS = new WeakMap<ArmOptions, readonly ReportArm[]>();

/** null where no trial has a value of the measure. */
export function livePlot(measure: Measure, options: LiveOptions): LivePlot | null {
  const { experiment, smoothing, failed, band } = options;
  const aside = new Set(
    experiment.arms.flatMap(({ name, sensitivity }) =>
      sensitivity && sensitivity.factor !== 1 ? [name] : [],
    ),
  );
  const arms = liveArms(options).filter(({ name }) => !aside.has(name));
  const { epochs, updatesPerEpoch } = experiment.protocol;
  const figure = curvesFigure(arms, measure, { epochs });
  const base = figure?.plot;
  if (!figure || !base) return null;
  const byName = new Map(arms.map((arm) => [arm.name, arm]));
  const lines = base.lines.map((line) =>
    withChoices(line, byName.get(line.key), measure, updatesPerEpoch),
  );
  const y = [...base.y, ...wholeAxis(base.y[0], lines)];
  const last = base.x[0]?.high ?? epochs;
  const axes = [...base.x, updateAxis(0, last * updatesPerEpoch)];
  const shown = smoothing === 0 ? lines : lines.flatMap((line) => smooth(line, smoothing));
  return {
    plot: {
      ...base,
      x: [...axes, ...axes.map((axis, i) => logarithmic(axis, firstOf(lines, i)))],
      y,
      lines: shown,
      bands:
        base.bands.length === 0
          ? []
          : [...base.bands, { name: "sd", choice: "standard deviation" }],
      // A band of the interval or the deviation may go beyond what was measured.
      clip: base.clip || band === "interval" || band === "sd",
    },
    seeds: arms.flatMap((arm) => seedLines(arm, measure, { updatesPerEpoch, failed })),
    label: figure.label,
  };
}

/** By update as well, on log scales, and with the deviation. */
function withChoices(
  line: Line,
  arm: ReportArm | undefined,
  measure: Measure,
  updates: number,
): Line {
  const epochs = line.x[0] ?? [];
  const across = [...line.x, epochs.map((epoch) => epoch * updates)];
  const curve = measuredCurve(arm?.trials ?? [], measure);
  return {
    ...line,
    x: [...across, ...across],
    ...(line.bands && curve ? { bands: bandsOf(curve, BANDS) } : {}),
  };
}

/** The smoothed line, and faintly behind it what was measured. */
function smooth(line: Line, weight: number): Line[] {
  const { bands, dots, labels, stopped, ...plain } = line;
  return [
    { ...plain, opacity: 0.3, width: 1, silent: true },
    { ...line, y: smoothed(line.y, weight).map(short), dots: false },
  ];
}

/** Of losses, whose first axis ends where most of them do: one for all. */
function wholeAxis(axis: Axis | undefined, lines: readonly Line[]): Axis[] {
  const greatest = lines.reduce(
    (most, { y, bands }) => Math.max(most, greatestIn(y), greatestIn(bands?.range?.high ?? [])),
    0,
  );
  if (!axis || axis.format === "percent" || greatest <= axis.high) return [];
  return [{ ...numberAxis(axis.title, [axis.low, greatest]), choice: "whole" }];
}

/** 0 at least; of a list that is drawn again and again it is sought once. */
function greatestIn(values: Line["y"]): number {
  const found =
    GREATEST.get(values) ??
    values.reduce<number>((most, value) => Math.max(most, value ?? most), 0);
  GREATEST.set(values, found);
  return found;
}

const GREATEST = new WeakMap<Line["y"], number>();

/** The least value above zero that a line has across an axis; null where none has one. */
function firstOf(lines: readonly Line[], axis: number): number | null {
  const least = lines.flatMap(({ x }) => (x[axis] ?? []).find((value) => value > 0) ?? []);
  return least.length === 0 ? null : Math.min(...least);
}

/** The axis by its logarithm, from the first value that there is; in the unit of its title, be that minutes. */
function logarithmic(axis: Axis, first: number | null): Axis {
  const low = first ?? Math.max(axis.low, axis.high / 1000);
  const tick = axis.ticks.find(({ at }) => at > 0);
  const unit = axis.format === "seconds" && tick ? tick.at / Number(tick.text) : 1;
  const ticks: { at: number; text: string }[] = [];
  for (let power = 10 ** Math.floor(Math.log10(low / unit)); power * unit <= axis.high; power *= 10)
    for (const digit of [1, 2, 5]) {
      const at = digit * power * unit;
      if (at >= low && at <= axis.high)
        ticks.push({ at, text: (digit * power).toLocaleString("en") });
    }
  const few = ticks.filter(({ text }) => /^1[0,]*$|^0\.0*1$/.test(text));
  return {
    ...axis,
    ...{ low, high: Math.max(axis.high, low * 2), log: true, choice: "log", ticks },
    title: `${axis.title} (log scale)`,
    fewTicks: few.length > 1 ? few : ticks,
  };
}

function seedLines(
  arm: ReportArm,
  measure: Measure,
  { updatesPerEpoch, failed }: { updatesPerEpoch: number; failed: boolean },
): SeedLine[] {
  return arm.trials.flatMap((history) => {
    const { status } = history.trial;
    if (!failed && (status === "failed" || status === "diverged")) return [];
    const { x, y } = seedCurve(history, measure, updatesPerEpoch);
    return [{ key: arm.name, seed: history.trial.seed, colour: arm.look.colour, x, y }];
  });
}

type SeedCurve = Pick<SeedLine, "x" | "y">;

/** As long as a trial has no new line, its clocks stay. */
const ACROSS_SEED = new WeakMap<TrialHistory["metrics"], { updates: number; x: SeedCurve["x"] }>();

function seedCurve(history: TrialHistory, measure: Measure, updatesPerEpoch: number): SeedCurve {
  const { metrics } = history;
  const y = curveOf(metrics, measure);
  const found = ACROSS_SEED.get(metrics);
  if (found?.updates === updatesPerEpoch) return { x: found.x, y };
  const epochs = y.map((_, i) => i + 1);
  const across = [
    epochs,
    secondsOf([history], y.length),
    epochs.map((epoch) => epoch * updatesPerEpoch),
  ];
  const x = [...across, ...across];
  ACROSS_SEED.set(metrics, { updates: updatesPerEpoch, x });
  return { x, y };
}
