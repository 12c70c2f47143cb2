/** @file metrics.csv: every epoch of every trial of an experiment, for a spreadsheet or pandas. */

import type { TrialHistory } from "../record/index.ts";

const COLUMNS = [
  "arm",
  "seed",
  "epoch",
  "update",
  "lr",
  "train_loss",
  "train_accuracy",
  "validation_loss",
  "validation_accuracy",
  "seconds",
  "diverged",
] as const;

/**
 * One line an epoch and trial under a line of names, in the order of `trials`; lines end with a line
 * feed, texts are quoted where they need it (RFC 4180), with an apostrophe before what would be a formula, numbers have all their digits, and what was
 * not finite or not measured is empty. `diverged` is 1 on the epoch at which a trial ended so.
 */
export function metricsCsv(trials: readonly TrialHistory[]): string {
  const lines = trials.flatMap(({ trial, metrics }) =>
    metrics.map((line) =>
      [
        quoted(trial.arm),
        trial.seed,
        line.epoch,
        line.update,
        line.lr,
        line.trainLoss ?? "",
        line.trainAccuracy ?? "",
        line.validationLoss ?? "",
        line.validationAccuracy ?? "",
        line.seconds,
        line.diverged ? 1 : 0,
      ].join(","),
    ),
  );
  return `${[COLUMNS.join(","), ...lines].join("\n")}\n`;
}

/** A spreadsheet takes what begins with one of these for a formula, and runs it. */
const FORMULA = /^[=+\-@\t\r]/;

function quoted(name: string): string {
  const text = FORMULA.test(name) ? `'${name}` : name;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
