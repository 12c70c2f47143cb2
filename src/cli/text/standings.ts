/** @file How the arms stand while their trials run: a table of the state, as wide as the terminal lets it be. */

import { type Labels, labelsFor } from "../../arms/arm-labels.ts";
import { at } from "../../core/at.ts";
import { armsBegun, type StudyProgress, type TrialProgress } from "../../record/index.ts";
import type { Colors } from "../terminal.ts";
import { accuracy, textTable } from "./format.ts";
import { remembered } from "./remembered.ts";
import { type Column, fitting } from "./results-columns.ts";

export interface StandingsLayout {
  readonly columns: number;
  /** Arms that are named at most; the others are counted. */
  readonly rows: number;
  readonly colors: Colors;
}

interface Standing {
  readonly arm: string;
  readonly trials: readonly TrialProgress[];
  /** Mean over its seeds of the latest validation accuracy, and of the best; null before there is one. */
  readonly now: number | null;
  readonly best: number | null;
}

/** A line an arm that has begun, the highest now first; none of a study of one trial, or before a first epoch. */
export function standings(
  state: StudyProgress,
  { columns, rows, colors }: StandingsLayout,
): string[] {
  const order = standingsOf(state);
  if (state.planned < 2 || order.every(({ now }) => now === null)) return [];
  const shown = order.slice(0, Math.max(1, rows));
  const label = armLabels(state, columns);
  const kept = fitting(
    tableOf(shown, label).filter(({ cells }) => cells.some((cell) => cell !== "")),
    columns,
  );
  const table = textTable(
    kept.map(({ title }) => title),
    shown.map((_, row) => kept.map(({ cells }) => at(cells, row, "cells"))),
    kept.map((_, i) => (i === 0 ? "left" : "right")),
    colors,
  ).split("\n");
  const left = order.length - shown.length;
  return left === 0 ? table : [...table, `and ${left} more`];
}

/** What the arms that have begun are called, beside numbers. */
export const armLabels = (state: StudyProgress, columns: number): Labels =>
  labelsBeside(armsBegun(state), columns);

const labelsBeside = remembered((names: readonly string[], columns) => {
  const room = Math.max(12, columns - 40);
  return labelsFor(names, (label) => names.every((name) => label(name).length <= room));
});

function standingsOf({ trials }: StudyProgress): Standing[] {
  const arms = new Map<string, TrialProgress[]>();
  const begun = Object.values(trials).filter(({ index }) => index !== null);
  for (const trial of begun.sort((a, b) => (a.index ?? 0) - (b.index ?? 0))) {
    const own = arms.get(trial.trial.arm);
    if (own) own.push(trial);
    else arms.set(trial.trial.arm, [trial]);
  }
  return [...arms]
    .map(([arm, own]): Standing => {
      const seen = own.map(({ metrics }) =>
        metrics.flatMap((line) => line.validationAccuracy ?? []),
      );
      const measured = seen.filter((values) => values.length > 0);
      return {
        ...{ arm, trials: own },
        now: meanOf(measured.map((values) => at(values, -1, "values"))),
        best: meanOf(measured.map((values) => values.reduce((a, b) => Math.max(a, b)))),
      };
    })
    .sort((a, b) => (b.now ?? -1) - (a.now ?? -1));
}

const meanOf = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length;

const tableOf = (shown: readonly Standing[], label: (name: string) => string): Column[] => [
  { title: "arm", dispensable: 0, cells: shown.map(({ arm }) => label(arm)) },
  { title: "now", dispensable: 0, cells: shown.map(({ now }) => accuracy(now)) },
  { title: "best", dispensable: 2, cells: shown.map(({ best }) => accuracy(best)) },
  { title: "epoch", dispensable: 1, cells: shown.map(({ trials }) => epochText(trials)) },
  { title: "seeds done", dispensable: 3, cells: shown.map(({ trials }) => doneText(trials)) },
];

/** "4/10" of what runs, else how the latest trial ended. */
function epochText(trials: readonly TrialProgress[]): string {
  const running = trials.filter(({ trial }) => trial.status === "running");
  if (running.length === 0) return at(trials, -1, "trials").trial.status;
  return running.map(({ trial, metrics }) => `${metrics.length}/${trial.epochs}`).join(" ");
}

const doneText = (trials: readonly TrialProgress[]): string =>
  String(trials.filter(({ trial }) => trial.status === "done").length);
