/** @file The axes that the figures have in common. */

import { at } from "../../core/at.ts";
import { formatRate } from "../format.ts";
import { decades, finite, integerTicks, linearTicks, positive } from "../ticks.ts";
import type { Axis, Tick } from "./line-plot.ts";

const ticked = (values: readonly number[], text: (value: number) => string): Tick[] =>
  values.map((at) => ({ at, text: text(at) }));

/** Fractions as percentages, over [low, high]. */
export const percentAxis = (title: string, [low, high]: readonly [number, number]): Axis => {
  const text = (value: number) => `${Number((value * 100).toPrecision(4))}%`;
  return {
    title,
    choice: "linear",
    format: "percent",
    low,
    high,
    log: false,
    ticks: ticked(linearTicks(low, high, 8), text),
    fewTicks: ticked(linearTicks(low, high, 5), text),
  };
};

/** Epochs from 1, or from 0 of a single one. */
export function epochAxis(epochs: number): Axis {
  return {
    title: "epoch",
    choice: "by epoch",
    format: "count",
    low: epochs > 1 ? 1 : 0,
    high: epochs > 1 ? epochs : 2,
    log: false,
    ticks: ticked(epochTicks(epochs, 10), String),
    fewTicks: ticked(epochTicks(epochs, 5), String),
  };
}

/** Epoch 1 and then round numbers, without crowding the first. */
function epochTicks(epochs: number, count: number): number[] {
  if (epochs <= count) return Array.from({ length: epochs }, (_, i) => i + 1);
  const ticks = integerTicks(0, epochs, count).filter((tick) => tick > 0);
  const step = (ticks[1] ?? epochs) - at(ticks, 0, "ticks");
  return at(ticks, 0, "ticks") > 1 && step >= 2 ? [1, ...ticks] : ticks;
}

/** Time from 0, in the unit that suits its length. */
export function secondsAxis(seconds: number): Axis {
  const [unit, per] =
    seconds < 180 ? ["seconds", 1] : seconds < 3 * 3600 ? ["minutes", 60] : ["hours", 3600];
  const high = seconds > 0 ? seconds : 1;
  const at = (count: number) =>
    ticked(linearTicks(0, high / per, count), String).map((tick) => ({
      at: tick.at * per,
      text: tick.text,
    }));
  return {
    title: `${unit} of training and validation, mean over seeds`,
    choice: "by second",
    format: "seconds",
    low: 0,
    high,
    log: false,
    ticks: at(8),
    fewTicks: at(4),
  };
}

/** Updates over [low, high]. */
export const updateAxis = (low: number, high: number): Axis => ({
  title: "update",
  choice: "by update",
  format: "count",
  low,
  high,
  log: false,
  ticks: ticked(integerTicks(low, high, 8), (value) =>
    String(value).replace(/\B(?=(\d{3})+$)/g, ","),
  ),
  fewTicks: ticked(integerTicks(low, high, 4), (value) =>
    String(value).replace(/\B(?=(\d{3})+$)/g, ","),
  ),
});

/** Rates on a log axis, labelled at powers of ten. */
export function logRateAxis(title: string, ends: readonly [number, number]): Axis {
  const [low, high] = ends.map(positive) as [number, number];
  return {
    title,
    choice: "log",
    format: "rate",
    low,
    high,
    log: true,
    ticks: ticked(decades(low, high, 12), formatRate),
    fewTicks: ticked(decades(low, high, 5), formatRate),
  };
}

export function linearRateAxis(title: string, greatest: number): Axis {
  const high = positive(greatest);
  return {
    title,
    choice: "linear",
    format: "rate",
    low: 0,
    high,
    log: false,
    ticks: ticked(linearTicks(0, high, 6), formatRate),
    fewTicks: ticked(linearTicks(0, high, 5), formatRate),
  };
}

export function numberAxis(title: string, ends: readonly [number, number]): Axis {
  const [low, high] = ends.map(finite) as [number, number];
  return {
    title,
    choice: "linear",
    format: "number",
    low,
    high,
    log: false,
    ticks: ticked(linearTicks(low, high, 7), String),
    fewTicks: ticked(linearTicks(low, high, 5), String),
  };
}

/** Positive numbers over a few decades at most: 1, 2 and 5 of each are labelled. */
export function logNumberAxis(title: string, ends: readonly [number, number]): Axis {
  const [low, high] = ends.map(positive) as [number, number];
  const steps = [1, 2, 5].flatMap((digit) =>
    decades(low / 10, high).map((power) => Number((digit * power).toPrecision(6))),
  );
  const all = steps.filter((at) => at >= low && at <= high).sort((a, b) => a - b);
  const ticks = all.length < 2 ? linearTicks(low, high, 4).filter((at) => at > 0) : all;
  const wide = ticks.length > 9 ? decades(low, high) : ticks;
  return {
    title: `${title} (log scale)`,
    choice: "log",
    format: "number",
    low,
    high,
    log: true,
    ticks: ticked(wide, String),
    fewTicks: ticked(wide, String),
  };
}
