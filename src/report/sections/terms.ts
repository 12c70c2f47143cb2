/** @file Terms of statistics, explained under the table or figure in which they stand. */

import { html, type Markup } from "../html.ts";

const TERMS = {
  interval: [
    "95% interval",
    "made in this way from many repetitions of the experiment, 95 of 100 such intervals would hold the true mean",
  ],
  spread: [
    "±",
    "the standard deviation over the seeds: how far a single seed lies from the mean, not how well the mean is known",
  ],
  points: [
    "point",
    "a hundredth of accuracy: from 70% to 71% is one point, whatever part of 70 that is",
  ],
  area: [
    "area",
    "the mean of the validation accuracy over all epochs: of two arms that end alike, the one that was good sooner has more",
  ],
  gap: [
    "gap",
    "training minus validation accuracy at the end: what was learned that does not carry over to other images",
  ],
  nats: [
    "nat",
    "the unit of the loss, the cross-entropy by the natural logarithm: answering with certainty and rightly costs 0, a uniform guess over K classes ln K (2.303 of ten classes)",
  ],
  p: [
    "p",
    "how likely a difference as large as this one would be if there were none; small is evidence, large is no proof of equality",
  ],
  signFlip: [
    "sign-flip test",
    "if two arms were alike, each seed’s difference could as well have the other sign: p is the share of all such choices of signs whose mean is as far from zero as the one observed",
  ],
  holm: [
    "Holm’s method",
    "of many comparisons some are small by chance: the least p is multiplied by their number, the next by one fewer, and so on, so that the chance of even one false claim stays at 5%",
  ],
  power: [
    "power",
    "the chance that the test finds a difference which is there: at 0.8, four experiments of five",
  ],
} as const satisfies Record<string, readonly [term: string, meaning: string]>;

export type Term = keyof typeof TERMS;

/** What they mean, one beneath the other; null of none. */
export function terms(names: readonly Term[]): Markup | null {
  if (names.length === 0) return null;
  return html`<dl class="terms">${names.map((name) => {
    const [term, meaning] = TERMS[name];
    return html`<div><dt>${term}</dt><dd>${meaning}.</dd></div>`;
  })}</dl>`;
}
