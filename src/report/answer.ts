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
      headline: ratesOf(test),
      conclusion,
      details: [
        ...seedsOf(test),
        ...test.warnings.map(sentence),
        ...(test.suggestion ? [] : [remedyOf(test)]),
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

function ratesOf({ optimizer, suggestion, reading, doubts }: RangeTestRecord): string {
  if (!suggestion)
    return `This range test cannot say at which learning rate to train with ${optimizer}.`;
  const { constant, peak } = suggestion;
  if (reading === "averaged")
    return `Train with ${optimizer} at a constant learning rate of ${formatRate(constant.rate)}, or on a schedule that peaks at ${formatRate(peak.rate)} (rule ${constant.rule}).`;
  const bounds = `between ${formatRate(peak.baseLr)} and ${formatRate(peak.rate)}`;
  return doubts.length === 0
    ? `Train with ${optimizer} at learning rates ${bounds} (rule ${peak.rule}, as published).`
    : `The range test of ${optimizer} suggests learning rates ${bounds} (rule ${peak.rule}, as published), with a doubt.`;
}

/** What a test that could say would be told. */
export function remedyOf({ verdict: { remedy } }: RangeTestRecord): string {
  const { updates, from, to } = remedy ?? {};
  const flags = [
    ...(updates === undefined ? [] : [`--updates ${updates}`]),
    ...(from === undefined ? [] : [`--from ${formatRate(from)}`]),
    ...(to === undefined ? [] : [`--to ${formatRate(to)}`]),
  ];
  return flags.length > 0
    ? `To have it said, make the test again with ${flags.join(" ")}.`
    : "Look at the data, and make the test again.";
}

function seedsOf({ runs, suggestion }: RangeTestRecord): string[] {
  if (!suggestion) return [];
  if (runs.length < 2) return ["One seed only: another would give another number; see --seeds."];
  const { low, high } = suggestion.constant;
  return [
    `By the seeds’ own curves the rate lies between ${formatRate(low)} and ${formatRate(high)}, ` +
      `a factor of ${Number((high / low).toPrecision(2))}.`,
  ];
}

function rangeSentence({ arm, suggestion, reading, unguarded }: RangeTestRecord): string {
  if (!suggestion)
    return `The range test of ${arm} cannot say which rate to train with${unguarded ? "; trials that went on from it were forced to" : ""}.`;
  const { constant, peak } = suggestion;
  return reading === "averaged"
    ? `The range test of ${arm} suggests a constant rate of ${formatRate(constant.rate)}, or a peak of ${formatRate(peak.rate)}.`
    : `The range test of ${arm} puts its rates between ${formatRate(peak.baseLr)} and ${formatRate(peak.rate)}.`;
}

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
