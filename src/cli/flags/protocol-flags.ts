/** @file The flags of a protocol's options: where rates come from, when a run ends, and how it is scored. */

import { MOST_MULTIPLES, MOST_SEEDS } from "../../core/limits.ts";
import { PROTOCOL_NAMES } from "../../study/protocols.ts";
import { optional, value } from "./define-command.ts";
import {
  integerFrom,
  oddNumber,
  oneOf,
  openFraction,
  positive,
  positiveInteger,
  pruneRule,
  timeSpan,
} from "./values.ts";

/** The published study that a comparison, or the report of one, follows. */
export const publishedFlag = (help: string) => ({
  protocol: optional({
    placeholder: "name",
    help,
    read: oneOf(PROTOCOL_NAMES),
    shownFallback: "none",
  }),
});

/** Where the arms of a comparison that name no rate take theirs from. */
export const learningRateFlags = {
  learningRates: value({
    placeholder: "kind",
    help: "of arms without @RATE: defaults (cyclical arms: a range test), or range-test for each",
    read: oneOf(["defaults", "range-test"]),
    fallback: "defaults" as const,
  }),
  finderSeeds: value({
    placeholder: "n",
    help: "seeds of each range test, whose median is taken",
    read: positiveInteger("3", MOST_SEEDS),
    fallback: 1,
  }),
  sensitivity: optional({
    placeholder: "n",
    help: "train each arm at n multiples of its rate, from 1/10 to 10",
    read: oddNumber("5", MOST_MULTIPLES),
    shownFallback: "its rate alone",
  }),
};

/** What may end a run before its last epoch. */
export const budgetFlags = {
  time: optional({
    placeholder: "20m",
    help: "end a run after the epoch in which so much time (s, m, h) is used up",
    read: timeSpan,
    shownFallback: "none",
  }),
  targetAccuracy: optional({
    placeholder: "part",
    help: "end a run that reaches this validation accuracy",
    read: openFraction("0.8"),
    shownFallback: "none",
  }),
  evalEvery: value({
    placeholder: "n",
    help: "validate after every n-th epoch, and the last",
    read: positiveInteger("5"),
    fallback: 1,
  }),
  earlyStopping: optional({
    placeholder: "n",
    help: "end a run after n validations in a row without a better accuracy",
    read: positiveInteger("10"),
    shownFallback: "off",
  }),
};

/** What ends arms that are behind, and what the comparison may spend. */
export const pruneFlags = {
  prune: optional({
    placeholder: "rule",
    help: "halving, asha or median: end arms that are behind at a rung, judged by all their seeds; a number n: from epoch n on, end a run whose best is below the median of the others of its seed; with --resume, none: pruned runs go on to their end",
    read: pruneRule,
    shownFallback: "off",
  }),
  reduction: optional({
    placeholder: "n",
    help: "with --prune halving or asha: one arm in n goes on from a rung, to one n times as far",
    read: integerFrom(2, "3"),
    shownFallback: "3",
  }),
  grace: optional({
    placeholder: "n",
    help: "with --prune halving, asha or median: epochs of the first rung; of median between two",
    read: positiveInteger("3"),
    shownFallback: "the epochs by the square of the reduction; of median a fifth of them",
  }),
  finalists: optional({
    placeholder: "n",
    help: "with --prune halving, asha or median: so many arms are never pruned",
    read: positiveInteger("2"),
    shownFallback: "2",
  }),
  maxTrials: optional({
    placeholder: "n",
    help: "begin at most n runs, whole seeds (with --prune RULE whole arms) of them; --resume with more goes on",
    read: positiveInteger("60"),
    shownFallback: "all",
  }),
  maxHours: optional({
    placeholder: "hours",
    help: "worker-hours of all runs together, after which they stop at their checkpoints; --resume with more goes on",
    read: positive("8"),
    shownFallback: "no bound",
  }),
};

/** A part of the data that is scored once. */
export const testFlag = {
  test: optional({
    placeholder: "part",
    help: "part of each class kept untouched, on which the best weights are scored once at the end",
    read: openFraction("0.1"),
    shownFallback: "none",
  }),
};
