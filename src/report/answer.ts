/**
 * @file What the experiment says, in sentences. They claim no more than the runs show: where the tests do not
 * tell two arms apart, neither is called better.
 */

import { ranked } from "../analysis/index.ts";
import type { RangeTestRecord, SummaryRecord } from "../record/index.ts";
import { counted, formatRate } from "./format.ts";
import { headlineOf } from "./headline.ts";
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
  // What the conclusion says is not said twice.
  const details = conclusion ? [] : progressOf(input);
  if (summary && finished.length > 0)
    return {
      headline: headlineOf(finished, summary),
      conclusion,
      details: [...input.rangeTests.map(rangeSentence), ...details],
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

const isAre = (count: number) => (count === 1 ? "is" : "are");

/** A warning as a sentence of the page. */
export const sentence = (text: string) =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
