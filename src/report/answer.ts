/**
 * @file What the experiment says, in sentences. They claim no more than the runs show: where the tests do not
 * tell two arms apart, neither is called better.
 */

import { ranked } from "../analysis/index.ts";
import type { RangeTestRecord, RangeTestTuning, SummaryRecord } from "../record/index.ts";
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
  const details = [...interimOf(input), ...(conclusion ? [] : progressOf(input))];
  if (summary && finished.length > 0)
    return {
      headline: headlineOf(finished, summary),
      conclusion,
      details: [...input.rangeTests.map(rangeSentence), ...details],
    };
  const [test, ...moreTests] = input.rangeTests;
  if (test)
    return {
      headline: test.tuning ? tunedOf(test, test.tuning) : ratesOf(test),
      conclusion,
      details: [
        ...(test.tuning ? [rangeSentence(test)] : []),
        ...seedsOf(test),
        ...test.warnings.map((warning) => sentence(warning)),
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

function tunedOf({ optimizer }: RangeTestRecord, tuning: RangeTestTuning): string {
  const { rate, schedule, candidates, epochs, bracketed } = tuning;
  const what =
    schedule === null ? "at a constant learning rate of" : `on ${schedule} with a greatest rate of`;
  const best = `of ${candidates.length} that were tried for ${counted(epochs, "epoch")} each, it does best`;
  return `Train with ${optimizer} ${what} ${formatRate(rate)}: ${best}${bracketed ? "" : ", and lies at the end of them"}.`;
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

/** Of a comparison that goes on: how much of it this is; trials that have not begun have no record. */
function interimOf({ experiment, trials, experiments = [] }: ReportInput): string[] {
  if (experiment.kind === "find" || experiments.length > 1 || trials.length === 0) return [];
  const planned = experiment.arms.length * experiment.protocol.seeds.length;
  const open = trials.filter(({ trial }) =>
    ["running", "interrupted", "paused"].includes(trial.status),
  );
  const notBegun = planned - trials.length;
  if (planned < 2 || open.length + Math.max(0, notBegun) === 0) return [];
  const ended = trials.length - open.length;
  const rest = [
    ...(open.length > 0 ? [`${open.length} not finished`] : []),
    ...(notBegun > 0 ? [`${notBegun} not begun`] : []),
  ];
  return [
    `An interim report: ${ended} of ${planned} trials ${isAre(ended)} finished, ${rest.join(" and ")}.`,
  ];
}

function progressOf({ trials }: ReportInput): string[] {
  const of = (...statuses: readonly string[]) =>
    trials.filter(({ trial }) => statuses.includes(trial.status)).length;
  const unfinished = of("running", "interrupted", "paused");
  const failed = of("failed");
  const all = counted(trials.length, "trial");
  return [
    ...(unfinished > 0 ? [`${unfinished} of ${all} ${isAre(unfinished)} not finished.`] : []),
    ...(failed > 0 ? [`${failed} of ${all} failed.`] : []),
  ];
}

const isAre = (count: number) => (count === 1 ? "is" : "are");

/** A warning as a sentence of the page. The name of an arm stays as it is. */
export const sentence = (text: string, arms: readonly string[] = []) => {
  const isName = arms.some((name) => text.startsWith(`${name} `));
  const first = isName ? text.charAt(0) : text.charAt(0).toUpperCase();
  return `${first}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
};
