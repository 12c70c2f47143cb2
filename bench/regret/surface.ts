/** @file What was measured, by task and optimizer: accuracy over the rates, and the curves of range tests. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { CHANCE, type OptimizerName, TASKS, type Task } from "./tasks.ts";

export interface GridLine {
  readonly kind: "grid";
  readonly optimizer: OptimizerName;
  readonly rate: number;
  readonly cycles: number;
  readonly ratio: number;
  readonly seed: number;
  readonly accuracy: number | null;
  readonly status: string;
}

/** One range test as it was measured, up to its end or the first loss that is not finite. */
export interface TestLine {
  readonly kind: "range-test";
  readonly optimizer: OptimizerName;
  /** Of the ramp that was asked for; null where it found its ends itself. */
  readonly from: number | null;
  readonly to: number | null;
  /** Asked for, in all. */
  readonly updates: number;
  /** Of the ramp that was measured, where it found its ends itself. */
  readonly ramp?: { readonly from: number; readonly to: number; readonly updates: number };
  readonly seed: number;
  readonly losses: readonly (number | null)[];
  readonly accuracies: readonly (number | null)[];
}

/** Mean validation accuracy of a task and optimizer, by the rate. */
export interface Surface {
  readonly task: Task;
  readonly optimizer: OptimizerName;
  /** 0: constant rates; else of cycles over the run. */
  readonly cycles: number;
  readonly ratio: number;
  /** Ascending. */
  readonly rates: readonly number[];
  /** By rate and seed, in points; a run that diverged is at the level of guessing. */
  readonly accuracies: readonly (readonly number[])[];
}

export interface Measured {
  readonly task: Task;
  readonly surfaces: readonly Surface[];
  readonly tests: readonly TestLine[];
}

/** The lines of every task that has some. */
export function readMeasured(folder: string): Measured[] {
  return TASKS.flatMap((task) => {
    const lines = linesOf(join(folder, `${task.name.replaceAll(" ", "-")}.jsonl`));
    if (lines.length === 0) return [];
    const grids = lines.filter((line) => line.kind === "grid");
    const groups = grouped(grids, ({ optimizer, cycles, ratio }) =>
      [optimizer, cycles, ratio].join(" "),
    );
    const tests = lines.filter((line) => line.kind === "range-test");
    return [{ task, tests, surfaces: [...groups.values()].map((group) => surfaceOf(task, group)) }];
  });
}

function linesOf(path: string): (GridLine | TestLine)[] {
  const text = existsSync(path)
    ? readFileSync(path, "utf8")
    : existsSync(`${path}.gz`)
      ? gunzipSync(readFileSync(`${path}.gz`)).toString("utf8")
      : "";
  // The last line may be cut where a run was broken off.
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

function surfaceOf(task: Task, lines: readonly GridLine[]): Surface {
  const byRate = grouped(lines, ({ rate }) => rate);
  const rates = [...byRate.keys()].sort((a, b) => a - b);
  const [{ optimizer, cycles, ratio }] = lines as [GridLine];
  const chance = CHANCE[task.data];
  const accuracies = rates.map((rate) =>
    (byRate.get(rate) ?? [])
      .toSorted((a, b) => a.seed - b.seed)
      .map(({ accuracy }) => 100 * Math.max(chance, accuracy ?? 0)),
  );
  return { task, optimizer, cycles, ratio, rates, accuracies };
}

/** Of each key its items, in their order. */
function grouped<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return groups;
}

export const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** The grid's best mean accuracy, in points, and its rate. */
export function bestOf({ rates, accuracies }: Surface): { rate: number; accuracy: number } {
  const means = accuracies.map(meanOf);
  const accuracy = Math.max(...means);
  return { rate: rates[means.indexOf(accuracy)] as number, accuracy };
}

/** Mean accuracy at a rate, in points: linear in its logarithm between the grid's, and the end's beyond. */
export function accuracyAt(surface: Surface, rate: number): number {
  const { rates } = surface;
  const means = surface.accuracies.map(meanOf);
  const above = rates.findIndex((each) => each >= rate);
  if (above === 0) return means[0] as number;
  if (above < 0) return means.at(-1) as number;
  const [low, high] = [rates[above - 1] as number, rates[above] as number];
  const part = Math.log(rate / low) / Math.log(high / low);
  return (means[above - 1] as number) * (1 - part) + (means[above] as number) * part;
}

/** Points that a rate loses against the grid's best. */
export const regretAt = (surface: Surface, rate: number): number =>
  bestOf(surface).accuracy - accuracyAt(surface, rate);

/**
 * What is lost where the rate is chosen by all seeds but one and paid on that one: of a perfect rule too, as
 * the best of a grid is chosen after the fact.
 */
export function unavoidable({ accuracies }: Surface): number | null {
  // Rates that their first seed showed to be far from the best may have no other.
  const seeds = Math.max(...accuracies.map((each) => each.length));
  const whole = accuracies.filter((each) => each.length === seeds);
  if (seeds < 2) return null;
  const losses = Array.from({ length: seeds }, (_, left) => {
    const others = whole.map((each) => meanOf(each.filter((_, seed) => seed !== left)));
    const chosen = others.indexOf(Math.max(...others));
    const own = whole.map((each) => each[left] as number);
    return Math.max(...own) - (own[chosen] as number);
  });
  return meanOf(losses);
}
