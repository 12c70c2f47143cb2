/**
 * @file What the experiment says, in sentences. They claim no more than the runs show: where the
 * seeds of two arms overlap, neither is called better.
 */

import type { OptimizerSummary, RangeTestRecord, SummaryRecord } from "../record/index.ts";
import { counted, formatRate, listed, percent, percentSpread, rates } from "./format.ts";
import { ranked } from "./table.ts";
import type { ReportInput } from "./types.ts";

export interface Answer {
  /** The answer itself. */
  readonly headline: string;
  /** What the numbers say, in a paragraph; null where nothing was trained. */
  readonly conclusion: string | null;
  /** How sure it is, and what else the reader should know; one sentence each. */
  readonly details: readonly string[];
}

export function answer(input: ReportInput, summary: SummaryRecord | null): Answer {
  const order = ranked(summary?.optimizers ?? []);
  const finished = order.filter((o) => o.finalValidationAccuracy.mean !== null);
  const conclusion = (input.trials.length > 0 && summary?.conclusion) || null;
  // What the conclusion says is not said twice; records of lrscope 0.1 have none.
  const details = conclusion ? [] : [...progressOf(input), ...divergencesOf(order)];
  const [best, ...others] = finished;
  if (best)
    return {
      headline: headlineOf(best, others.length > 0, input.experiment.protocol.epochs),
      conclusion,
      details: [
        ...(!conclusion && others.length > 0 ? [comparisonOf(best, others)] : []),
        ...input.rangeTests.map(rangeSentence),
        ...details,
      ],
    };
  const [test, ...moreTests] = input.rangeTests;
  if (test)
    return {
      headline: boundsOf(test),
      conclusion,
      details: [
        ...seedsOf(test),
        // What the headline says already is not said again.
        ...test.warnings.filter((text) => !text.startsWith("not bracketed")).map(sentence),
        ...moreTests.map(rangeSentence),
        ...details,
      ],
    };
  if (input.trials.length > 0 && order.every((o) => o.diverged === o.seeds.length))
    return {
      headline: "Every trial diverged: no learning rate tried here can be trained with.",
      conclusion,
      details,
    };
  return { headline: "No trial is finished yet.", conclusion, details };
}

function headlineOf(best: OptimizerSummary, compared: boolean, epochs: number): string {
  const { finalValidationAccuracy: final, learningRates } = best;
  const rate =
    learningRates.length === 0
      ? ""
      : `, learning rate ${best.name.includes("+") ? "up to " : ""}${rates(learningRates)}`;
  const seeds = final.values.filter((value) => value !== null).length;
  return (
    `${best.name} ${compared ? "reached the highest validation accuracy" : "reached a validation accuracy of"}` +
    `${compared ? ":" : ""} ${percentSpread(final)} after ${counted(epochs, "epoch")}` +
    ` (${seeds > 1 ? `mean of ${counted(seeds, "seed")}` : "one seed"}${rate}).`
  );
}

function comparisonOf(best: OptimizerSummary, others: readonly OptimizerSummary[]): string {
  const least = Math.min(...present(best));
  const close = others.filter((other) => Math.max(...present(other)) >= least);
  const next = others[0]!;
  const described = `${next.name} (${percentSpread(next.finalValidationAccuracy)})`;
  if ([best, ...others].every((o) => present(o).length === 1))
    return `${described} is next. With one seed each, the difference may be chance.`;
  if (close.length === 0)
    return `Each of its runs ended above every run of the others; ${described} is next.`;
  const gap = best.finalValidationAccuracy.mean! - next.finalValidationAccuracy.mean!;
  return (
    `${described} is next, ${percent(gap).replace("%", " points")} lower. ` +
    `The runs of ${listed(close.map((o) => o.name))} overlap with those of ${best.name}: ` +
    "this experiment does not tell them apart."
  );
}

const present = (optimizer: OptimizerSummary) =>
  optimizer.finalValidationAccuracy.values.filter((value) => value !== null);

function boundsOf({ optimizer, suggestion, to }: RangeTestRecord): string {
  const { baseLr, maxLr, rule, bracketed } = suggestion;
  const bounds = `between ${formatRate(baseLr)} and ${formatRate(maxLr)}`;
  return bracketed
    ? `Train with ${optimizer} at learning rates ${bounds} (rule ${rule}).`
    : `The range test of ${optimizer} suggests learning rates ${bounds}, but is not bracketed: the loss was still falling at ${formatRate(to)}, and greater rates may do better.`;
}

function seedsOf({ runs, suggestion: { low, high } }: RangeTestRecord): string[] {
  if (runs.length < 2) return ["One seed only: another would give another number; see --seeds."];
  return [
    `Over ${counted(runs.length, "seed")} the upper bound lies between ${formatRate(low)} and ${formatRate(high)}, ` +
      `a factor of ${Number((high / low).toPrecision(2))}.`,
  ];
}

const rangeSentence = (test: RangeTestRecord) =>
  `The range test of ${test.arm} puts its rates between ${formatRate(test.suggestion.baseLr)} and ` +
  `${formatRate(test.suggestion.maxLr)}${test.suggestion.bracketed ? "" : ", not bracketed"}.`;

function progressOf({ trials }: ReportInput): string[] {
  const of = (...statuses: readonly string[]) =>
    trials.filter(({ trial }) => statuses.includes(trial.status)).length;
  const unfinished = of("running", "interrupted");
  const failed = of("failed");
  const all = counted(trials.length, "trial");
  return [
    ...(unfinished > 0 ? [`${unfinished} of ${all} ${isAre(unfinished)} not finished.`] : []),
    ...(failed > 0 ? [`${failed} of ${all} failed.`] : []),
  ];
}

function divergencesOf(optimizers: readonly OptimizerSummary[]): string[] {
  const diverged = optimizers.filter((o) => o.diverged > 0);
  if (diverged.length === 0) return [];
  const each = diverged.map(
    (o) => `${o.name} on ${o.diverged} of ${counted(o.seeds.length, "seed")}`,
  );
  return [`Diverged: ${listed(each)}.`];
}

const isAre = (count: number) => (count === 1 ? "is" : "are");

/** A warning as a sentence of the page. */
export const sentence = (text: string) =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
