/** @file What the sentences of a conclusion are put together from. */

import { get } from "../../core/at.ts";
import { counted, grouped, listed, percentDigits } from "../../core/words.ts";
import type { OptimizerSummary, PairedDifference, Sensitivity } from "../../record/index.ts";
import { valuesBySeed } from "../statistics/paired.ts";
import { ALPHA } from "../statistics/power.ts";

export interface ConclusionInput {
  readonly optimizers: readonly OptimizerSummary[];
  /** All pairs of them, adjusted together. */
  readonly pairs: readonly PairedDifference[];
  /** Epochs of a trial, at most. */
  readonly epochs: number;
  readonly sensitivity?: readonly Sensitivity[];
  /** Whether a step's work is the same for all arms but for the optimizer; default true. */
  readonly sameWork?: boolean;
  /** Kinds of machine that took part in a study whose workers may differ; default: all are alike. */
  readonly machines?: number | undefined;
  /** Images of the validation part; default not known. */
  readonly images?: number | undefined;
  /** What always answering with the commonest class would score; default not known. */
  readonly guess?: Guess | undefined;
  /** Validation accuracy at which a trial ended; default none. */
  readonly targetAccuracy?: number | undefined;
}

export interface Guess {
  /** The class. */
  readonly answer: string;
  /** In 0 .. 1. */
  readonly accuracy: number;
}

/** Mean final accuracy of an arm that has one. */
export const accuracy = (arm: OptimizerSummary): number =>
  get(arm.finalValidationAccuracy, "mean", "finalValidationAccuracy");

/** More arms than this are counted, and not named. */
const MOST_NAMED = 6;

/** "adam, sgd and lion", "All 12 arms", "7 of the 12 arms": what a sentence can begin with. */
export const namedOrCounted = (some: readonly string[], all: number): string =>
  some.length <= MOST_NAMED
    ? listed(some)
    : `${some.length === all ? "All" : `${some.length} of the`} ${all} arms`;

/** The same within a sentence. */
export const lowered = (text: string): string => text.replace(/^All /, "all ");

/** Seeds with a final value. */
export const seedsOf = (arm: OptimizerSummary): number => valuesBySeed(arm).size;

/** Pairs that were tested: what is corrected for. */
export const comparisonsOf = (pairs: readonly PairedDifference[]): number =>
  pairs.filter(({ adjustedTP = null }) => adjustedTP !== null).length;

/** Whether a difference is claimed, if need be on the condition that it is about normal. */
export const isApart = ({ verdict = "open" }: PairedDifference): boolean => verdict !== "open";

/** Whether it is also claimed for other images; undefined where that is not known. */
export const holdsForOthers = ({ overImages }: PairedDifference): boolean | undefined =>
  overImages && overImages.adjustedP < ALPHA;

/** "150 epochs", "1 to 5 epochs of at most 1,000": what the trials ran whose final accuracies are compared. */
export function epochsRun(optimizers: readonly OptimizerSummary[], planned: number): string {
  const ran = optimizers.flatMap(({ epochs = [], finalValidationAccuracy: { values } }) =>
    epochs.filter((_, index) => (values[index] ?? null) !== null),
  );
  const [least, most] = [Math.min(...ran, planned), Math.max(...ran)];
  if (ran.length === 0 || least === planned) return counted(planned, "epoch");
  const text = least === most ? "" : `${least} to `;
  return `${text}${counted(most, "epoch")}${most < planned ? ` of at most ${grouped(planned)}` : ""}`;
}

/** "1.5 points" */
export const points = (difference: number): string =>
  `${percentDigits(difference)} ${percentDigits(difference) === "1.0" ? "point" : "points"}`;

/** "+1.5" and "−0.3", in points. */
export const signed = (difference: number): string =>
  `${difference < 0 ? "−" : "+"}${percentDigits(Math.abs(difference))}`;

/** "p = 0.031", "p < 0.001" */
export const pText = (p: number): string =>
  p < 0.001 ? "p < 0.001" : `p = ${Number(p.toPrecision(2))}`;

/** "seed 3", "seeds 0, 2 and 4 to 7"; ascending. */
export function seedRanges(seeds: readonly number[]): string {
  const runs: { from: number; to: number }[] = [];
  for (const seed of seeds) {
    const last = runs.at(-1);
    if (last && seed === last.to + 1) last.to = seed;
    else runs.push({ from: seed, to: seed });
  }
  const texts = runs.flatMap(({ from, to }) =>
    from === to ? [`${from}`] : to === from + 1 ? [`${from}`, `${to}`] : [`${from} to ${to}`],
  );
  return `${seeds.length === 1 ? "seed" : "seeds"} ${listed(texts)}`;
}

/** "is" of one, "are" of more. */
export const isAre = (things: readonly unknown[]): string => (things.length === 1 ? "is" : "are");
