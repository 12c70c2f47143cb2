/** @file Lines of a trial: one an epoch, and one of an end that was not the plain one; as wide as the terminal lets them be. */

import { labelsFor } from "../../arms/arm-labels.ts";
import { visibleLine } from "../../core/visible.ts";
import {
  armsBegun,
  type StudyEvent,
  type StudyProgress,
  subjectKey,
  trialIn,
} from "../../record/index.ts";
import type { Colors } from "../terminal.ts";
import { columnsOf, paddedTo } from "./columns.ts";
import { accuracy, count, duration, lossText, rate } from "./format.ts";
import { remembered } from "./remembered.ts";

export interface TrialLineOptions {
  readonly state: StudyProgress;
  readonly colors: Colors;
  /** Of the terminal; Infinity where it is none. */
  readonly columns: number;
}

/** Columns that an epoch's numbers take at most, and those without which they say nothing. */
const NUMBERS = 66;
const LEAST_NUMBERS = 30;

/** Labels of the arms that have begun, in a share of the terminal that leaves the numbers their room. */
const labelling = remembered((names: readonly string[], columns) => {
  const least = Math.max(8, columns - LEAST_NUMBERS);
  const room = Math.max(Math.min(20, least), columns - NUMBERS);
  const label = labelsFor(names, (of) => names.every((name) => columnsOf(of(name)) <= room));
  return { label, width: Math.max(0, ...names.map((name) => columnsOf(label(name)))) };
});

/** "adam   seed 0", as wide as that of the widest arm that began. */
function subjectText(
  { arm, seed }: { arm: string; seed: number },
  { state, columns }: TrialLineOptions,
) {
  const { label, width } = labelling(armsBegun(state), columns);
  return `${paddedTo(label(arm), width, "left")}  seed ${seed}`;
}

/** null of a diverged epoch, which the trial's end says. */
export function epochLine(
  event: Extract<StudyEvent, { type: "epoch" }>,
  options: TrialLineOptions,
): string | null {
  const { metrics } = event;
  const { colors, state, columns } = options;
  if (metrics.diverged) return null;
  const { epoch, trainLoss, trainAccuracy, validationAccuracy, lr } = metrics;
  const speed = trialIn(state, subjectKey(event))?.update?.imagesPerSecond ?? 0;
  const subject = `${subjectText(event, options)}  epoch ${String(epoch).padStart(3)}`;
  const loss = `loss ${lossText(trainLoss)}`;
  const reached = accuracy(validationAccuracy);
  const validation = `validation ${colors.bold(reached)}`;
  const training = `training ${accuracy(trainAccuracy)}`;
  const at = colors.dim(`lr ${rate(lr)}`);
  const time = duration(metrics.seconds);
  const lines = [
    [subject, loss, training, validation, at, colors.dim(`${time}, ${count(speed)} images/s`)],
    [subject, loss, training, validation, at, colors.dim(time)],
    [subject, loss, training, validation, at],
    [subject, loss, training, validation],
    [subject, loss, `train ${accuracy(trainAccuracy)}`, `val ${colors.bold(reached)}`],
    [subject, loss, `val ${colors.bold(reached)}`],
    [subject, `val ${colors.bold(reached)}`],
    [subject.replace(/ seed (\d+) {2}epoch +(\d+)$/, " s$1 e$2"), colors.bold(reached)],
  ].map((parts) => parts.join("  "));
  return lines.find((line) => columnsOf(line) <= columns) ?? lines.at(-1) ?? subject;
}

/** Why a trial ended before its last epoch; null of one that did not. */
export function endLine(
  { trial }: Extract<StudyEvent, { type: "trial-finished" }>,
  options: TrialLineOptions,
): string | null {
  const { colors, state } = options;
  const line = (text: string) => `${subjectText(trial, options)}  ${text}`;
  if (trial.divergence) {
    const { update, learningRate, epoch } = trial.divergence;
    return line(
      `${colors.red("diverged")} in epoch ${epoch}: the loss stopped being finite at update ${count(update)}, learning rate ${rate(learningRate)}`,
    );
  }
  if (trial.status === "interrupted") {
    const done = trialIn(state, subjectKey(trial))?.metrics.length ?? 0;
    return line(`interrupted after epoch ${done} of ${trial.epochs}`);
  }
  // Its arm is told of, as a whole.
  if (trial.status === "paused" || trial.rung !== undefined) return null;
  if (trial.endedBy) return line(`ended early: ${trial.endedBy}`);
  if (trial.status === "failed")
    return line(`${colors.red("failed")}: ${visibleLine(trial.failure ?? "")}`);
  return null;
}
