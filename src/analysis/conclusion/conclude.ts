/**
 * @file The paragraph under the table: what the numbers say, and no more. Made by rules, so that the
 * same records always give the same words; each rule is a function that gives sentences.
 */

import { present } from "../../core/at.ts";
import { counted, listed, percent, percentDigits } from "../../core/words.ts";
import type { NextStudy, OptimizerSummary, Sensitivity } from "../../record/index.ts";
import { isSparse, ranked } from "../ranking.ts";
import { cost } from "./cost.ts";
import { lead } from "./lead.ts";
import { nextStep } from "./next-step.ts";
import { guessing, troubles } from "./troubles.ts";
import { accuracy, type ConclusionInput, epochsRun, seedsOf } from "./wording.ts";

/** Every arm, best first; those that finished anything; and those of them that are set against each other. */
function ordered({ optimizers }: ConclusionInput) {
  const order = ranked(optimizers);
  const finished = order.filter((arm) => arm.finalValidationAccuracy.mean !== null);
  return { order, finished, compared: finished.filter((arm) => !isSparse(arm, finished)) };
}

/** The study that the conclusion's last sentence asks for; null where none gives what it says. */
export function proposedStudy(input: ConclusionInput): NextStudy | null {
  const { order, compared } = ordered(input);
  return nextStep(order, compared, input)?.ask ?? null;
}

/** One paragraph, plain text. */
export function conclude(input: ConclusionInput): string {
  const { order, finished, compared } = ordered(input);
  const [leader, ...others] = compared;
  // Whose rate is to be doubted comes before what its accuracy is compared with.
  const doubted = guessing(order, input.guess);
  const isLed = others.length > 0 && !leader?.guessing;
  const sentences = !leader
    ? nothingFinished(order)
    : others.length === 0
      ? [...single(leader, input.epochs), ...troubles(order)]
      : leader.guessing
        ? [...nothingLearned(leader, input), ...troubles(order)]
        : [...doubted, ...lead(leader, others, input), ...troubles(order)];
  const step = nextStep(order, compared, input);
  return [
    ...sentences,
    ...(isLed ? [] : doubted),
    ...atTarget(input),
    ...onTestPart(leader),
    ...cost(finished, input.sameWork ?? true),
    ...onMachines(input),
    ...ofSensitivity(input.sensitivity ?? []),
    ...(step ? [step.say] : []),
  ].join(" ");
}

function nothingFinished(order: readonly OptimizerSummary[]): string[] {
  if (order.length === 0) return ["Nothing was trained."];
  if (order.every((arm) => arm.diverged === arm.seeds.length))
    return ["Every trial diverged: no learning rate tried here can be trained with."];
  return ["No trial is finished, so there is nothing to conclude yet.", ...troubles(order)];
}

/** One arm has nothing to be compared with. */
function single(arm: OptimizerSummary, epochs: number): string[] {
  const { interval } = arm.finalValidationAccuracy;
  const seeds = seedsOf(arm);
  return [
    `After ${epochsRun([arm], epochs)} ${arm.name} reached a validation accuracy of ${percent(accuracy(arm))}` +
      (seeds === 1
        ? " with one seed; how much another seed would change is not known."
        : ` (mean of ${counted(seeds, "seed")}${interval ? `; 95% interval ${percentDigits(interval.low)} to ${percent(interval.high)}` : ""}).`),
  ];
}

/** Who leads among arms that guess is of no interest. */
function nothingLearned(
  leader: OptimizerSummary,
  { optimizers, epochs }: ConclusionInput,
): string[] {
  return [
    `After ${epochsRun(optimizers, epochs)} no arm does better than guessing; the highest mean validation accuracy is that of ${leader.name}, ${percent(accuracy(leader))}.`,
  ];
}

/** Trials that end at an accuracy have about that one. */
function atTarget({ targetAccuracy, machines }: ConclusionInput): string[] {
  if (targetAccuracy === undefined) return [];
  return [
    `Trials ended at a validation accuracy of ${percent(targetAccuracy)}, so their last accuracies say little of the arms: compare ${machines === undefined ? "how long" : "how many epochs"} they took.`,
  ];
}

/** Seconds of machines that differ say nothing of the arms. */
function onMachines({ machines }: ConclusionInput): string[] {
  if (machines === undefined) return [];
  return [
    `The trials ran on ${counted(machines, "kind")} of machine, as was allowed (--mixed), so nothing is said of how long the arms take.`,
  ];
}

function onTestPart(leader: OptimizerSummary | undefined): string[] {
  const score = leader?.testAccuracy;
  if (!leader || !score || score.mean === null) return [];
  return [
    `On the test part, which played no role in choosing, ${leader.name} scores ${percent(score.mean)}.`,
  ];
}

function ofSensitivity(analyses: readonly Sensitivity[]): string[] {
  const read = analyses.filter(({ widthDecades }) => widthDecades !== null);
  if (read.length === 0) return [];
  const each = read.map(
    ({ arm, widthDecades }) => `${arm} over ${present(widthDecades, "width").toFixed(1)}`,
  );
  const off = read.filter(({ bestFactor }) => bestFactor !== 1);
  return [
    `Decades of learning rate over which the accuracy stays within 2 points of its best: ${listed(each)}.`,
    ...(off.length > 0
      ? [
          `Highest mean at another rate than its own, which no test is made of: ${listed(off.map(({ arm, bestFactor }) => `${arm} (at ${bestFactor} times it)`))}.`,
        ]
      : []),
  ];
}
