/**
 * @file The paragraph under the table: what the numbers say, and no more. Made by rules, so that the
 * same records always give the same words; each rule is a function that gives sentences.
 */

import { counted, listed, percent, percentDigits } from "../core/words.ts";
import type { OptimizerSummary, PairedDifference, Sensitivity } from "../record/index.ts";
import { ranked } from "./ranking.ts";
import { ALPHA } from "./statistics/power.ts";
import { leastSeeds } from "./statistics/sign-flip.ts";

export interface ConclusionInput {
  readonly optimizers: readonly OptimizerSummary[];
  /** All pairs of them, adjusted together. */
  readonly pairs: readonly PairedDifference[];
  /** Epochs of a trial. */
  readonly epochs: number;
  readonly sensitivity?: readonly Sensitivity[];
  /** Whether a step's work is the same for all arms but for the optimizer; default true. */
  readonly sameWork?: boolean;
}

/** A difference of mean accuracy below this is one that nobody would choose by. */
const NEGLIGIBLE = 0.005;
/** More seeds than this are not worth recommending. */
const MANY_SEEDS = 50;
/** Step times within this factor of each other count as the same. */
const SAME_COST = 1.05;

/** One paragraph, plain text. */
export function conclude(input: ConclusionInput): string {
  const order = ranked(input.optimizers);
  const finished = order.filter((arm) => arm.finalValidationAccuracy.mean !== null);
  const [leader, ...others] = finished;
  const sentences = !leader
    ? nothingFinished(order)
    : others.length === 0
      ? [...single(leader, input.epochs), ...troubles(order)]
      : [...lead(leader, others, input), ...troubles(order)];
  return [
    ...sentences,
    ...onTestPart(leader),
    ...cost(finished, input.sameWork ?? true),
    ...ofSensitivity(input.sensitivity ?? []),
    ...nextStep(leader, others, order, input),
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
    `After ${counted(epochs, "epoch")} ${arm.name} reached a validation accuracy of ${percent(accuracy(arm))}` +
      (seeds === 1
        ? " with one seed; how much another seed would change is not known."
        : ` (mean of ${counted(seeds, "seed")}${interval ? `; 95% interval ${percentDigits(interval.low)} to ${percent(interval.high)}` : ""}).`),
  ];
}

/** Who leads, by how much, and whether that holds. */
function lead(
  leader: OptimizerSummary,
  others: readonly OptimizerSummary[],
  { pairs, epochs }: ConclusionInput,
): string[] {
  const next = others[0]!;
  const after = `After ${counted(epochs, "epoch")}`;
  const level = others.filter((other) => accuracy(leader) - accuracy(other) < 1e-9);
  if (level.length > 0)
    return [
      `${after} ${listed([leader, ...level].map(({ name }) => name))} are level: ` +
        `${level.length > 1 ? "all" : "both"} reached a mean validation accuracy of ${percent(accuracy(leader))}.`,
      ...behind(leader, others, pairs),
    ];
  const pair = pairOf(pairs, leader.name, next.name);
  const by = `${points(accuracy(leader) - accuracy(next))} ahead of ${next.name}`;
  const seeds = seedsOf(leader);
  const opening =
    `${after} ${leader.name} leads with a validation accuracy of ${percent(accuracy(leader))} ` +
    `(${seeds === 1 ? "one seed" : `mean of ${counted(seeds, "seed")}`}), ${by}`;
  if (!pair || pair.mean === null)
    return [`${opening}; the two have no seed in common, so the difference cannot be tested.`];
  if (pair.interval === null)
    return [
      `${opening}.`,
      "With one seed in common the difference may be chance: nothing here says how much another seed would change.",
    ];
  const ofPair =
    Math.abs(pair.mean - (accuracy(leader) - accuracy(next))) < 1e-9
      ? "95% interval"
      : `on the ${counted(pair.seeds.length, "seed")} that both finished: ${signed(pair.mean)}, 95% interval`;
  return [
    `${opening} (${ofPair} ${signed(pair.interval.low)} to ${signed(pair.interval.high)}).`,
    ...verdict(pair, pairs.length),
    ...behind(leader, others, pairs),
  ];
}

/** Whether the difference between the leader and the next may be chance. */
function verdict(pair: PairedDifference, comparisons: number): string[] {
  const n = pair.seeds.length;
  const apart = excludesZero(pair);
  const corrected = comparisons > 1 ? ` after correction for ${comparisons} comparisons` : "";
  if (pair.adjustedP! < ALPHA && apart)
    return [`That is more than chance: exact sign-flip ${pText(pair.adjustedP!)}${corrected}.`];
  const needed = seedsSentence(pair, comparisons);
  if (pair.leastP! >= ALPHA || pair.leastP! * comparisons >= ALPHA) {
    const least =
      pair.leastP! >= ALPHA
        ? `${counted(n, "seed")} cannot reach p < 0.05 in a sign-flip test whatever happens: the least is ${pValue(pair.leastP!)}`
        : `${counted(n, "seed")} cannot reach p < 0.05 in a sign-flip test with ${comparisons} comparisons to correct for`;
    const interval = apart
      ? "The interval excludes 0, but it rests on few seeds and on their differences being normally distributed"
      : "The interval includes 0, so the lead may be chance";
    return [`${interval}.`, `${least}.`, ...needed];
  }
  return [
    `The lead may be chance: exact sign-flip ${pText(pair.adjustedP!)}${corrected}${apart ? "" : ", and the interval includes 0"}.`,
    ...needed,
  ];
}

/** How many seeds would settle it, for the difference and the spread that were seen. */
function seedsSentence(pair: PairedDifference, comparisons: number): string[] {
  const wanted = recommendedSeeds(pair, 1);
  if (pair.mean !== null && Math.abs(pair.mean) < NEGLIGIBLE && !excludesZero(pair)) return [];
  if (wanted === null)
    return [
      "At the spread seen, so small a difference would take more seeds than it is worth to establish.",
    ];
  const all = comparisons > 1 ? leastSeeds(comparisons) : 0;
  return [
    `If the difference is real and as large as seen, ${counted(wanted, "seed")} of these two would show it with power 0.8` +
      `${all > wanted ? ` (${all} if all ${comparisons} comparisons are to be tested again)` : ""}.`,
  ];
}

/**
 * Seeds to run next to settle a pair: enough for power 0.8 in a paired t test, and for the sign-flip
 * test over so many comparisons to be able to reach 0.05. null where more than 50 would be needed.
 */
export function recommendedSeeds(pair: PairedDifference, comparisons = 1): number | null {
  const least = leastSeeds(comparisons);
  const certain = pair.sd === 0 && pair.mean !== 0;
  const wanted = certain ? least : pair.seedsNeeded;
  return wanted === null || wanted > MANY_SEEDS ? null : Math.max(least, wanted);
}

/** The arms beyond the next: which of them the seeds set apart from the leader, and which not. */
function behind(
  leader: OptimizerSummary,
  others: readonly OptimizerSummary[],
  pairs: readonly PairedDifference[],
): string[] {
  if (others.length < 2) return [];
  const rest = others.slice(1).flatMap((arm) => {
    const pair = pairOf(pairs, leader.name, arm.name);
    return pair?.interval ? [{ arm, pair }] : [];
  });
  const clear = rest.filter(({ pair }) => excludesZero(pair) && pair.probability === 1);
  const close = rest.filter(({ pair }) => !excludesZero(pair));
  const names = (of: typeof rest) => listed(of.map(({ arm }) => arm.name));
  return [
    ...(close.length > 0
      ? [
          `${names(close)} ${close.length > 1 ? "are" : "is"} not told apart from ${leader.name} either.`,
        ]
      : []),
    ...(clear.length > 0
      ? [
          `${names(clear)} ended below ${leader.name} on every seed, by ${range(clear.map(({ pair }) => pair.mean!))}.`,
        ]
      : []),
  ];
}

function range(differences: readonly number[]): string {
  const [low, high] = [Math.min(...differences), Math.max(...differences)];
  const [first, last] = [percentDigits(low), percentDigits(high)];
  return first === last ? points(low) : `${first} to ${points(high)}`;
}

/** Seeds that did not come to the end: the means are of the others, which flatters an arm. */
function troubles(order: readonly OptimizerSummary[]): string[] {
  const told = (what: string, count: (arm: OptimizerSummary) => number) => {
    const each = order
      .filter((arm) => count(arm) > 0)
      .map(
        (arm, i) =>
          `${arm.name}${i === 0 ? ` ${what}` : ""} on ${partOf(count(arm), arm.seeds.length)}`,
      );
    return each.length > 0 ? [`${listed(each)}.`] : [];
  };
  const flattered = order.filter(
    (arm) => arm.diverged > 0 && arm.finalValidationAccuracy.mean !== null,
  );
  return [
    ...told("diverged", (arm) => arm.diverged),
    ...(flattered.length > 0
      ? [
          `The mean of ${listed(flattered.map(({ name }) => name))} is of the seeds that were left, which flatters it.`,
        ]
      : []),
    ...told("failed", (arm) => arm.failed ?? 0),
    ...order.flatMap(({ name, failures = [] }) =>
      // What was wrong, without what was last in a log, or what to do about it.
      failures.slice(0, 1).map((reason) => `Reason of ${name}: ${reason.split("; ")[0]}.`),
    ),
    ...told("was pruned", (arm) => arm.pruned ?? 0),
    ...told("is not finished", (arm) => arm.unfinished ?? 0),
  ];
}

const partOf = (count: number, of: number) =>
  count === of ? (of === 1 ? "its only seed" : `all ${of} seeds`) : `${count} of ${of} seeds`;

function onTestPart(leader: OptimizerSummary | undefined): string[] {
  const score = leader?.testAccuracy;
  if (!leader || !score || score.mean === null) return [];
  return [
    `On the test part, which played no role in choosing, ${leader.name} scores ${percent(score.mean)}.`,
  ];
}

/** What a step costs, and how much of that the optimizer is to blame for. */
function cost(arms: readonly OptimizerSummary[], sameWork: boolean): string[] {
  const timed = arms.filter((arm) => arm.msPerStep !== null && arm.msPerStep > 0);
  if (timed.length < 2) return [];
  const sorted = [...timed].sort((a, b) => a.msPerStep! - b.msPerStep!);
  const [cheap, dear] = [sorted[0]!, sorted.at(-1)!];
  const shares = timed
    .map((arm) => arm.optimizerShare)
    .filter((share) => typeof share === "number");
  const [low, high] = [Math.min(...shares), Math.max(...shares)].map(
    (share) => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)}%`,
  );
  const part =
    shares.length < timed.length
      ? ""
      : `; the optimizer’s update is ${low === high ? `${low}` : `${low} to ${high}`} of it`;
  const ratio = dear.msPerStep! / cheap.msPerStep!;
  const updates = timed.map((arm) => arm.msPerStep! * (arm.optimizerShare ?? Number.NaN));
  const [least, most] = [Math.min(...updates), Math.max(...updates)];
  // Arms that compute the same gradients: what their updates do not explain is not theirs.
  if (sameWork && ratio >= SAME_COST && most - least < (dear.msPerStep! - cheap.msPerStep!) / 2)
    return [
      `A step took ${ms(cheap)} ms (${cheap.name}) to ${ms(dear)} ms (${dear.name}), but the optimizers’ updates only ${short(least)} to ${short(most)} ms of that: the rest of the difference is how busy the machine was, not the optimizers.`,
    ];
  return [
    ratio < SAME_COST
      ? `A step costs about the same with every arm (${ms(cheap)} to ${ms(dear)} ms${part}).`
      : `A step is cheapest with ${cheap.name} (${ms(cheap)} ms) and dearest with ${dear.name} (${ms(dear)} ms, ${ratio < 3 ? `${Math.round((ratio - 1) * 100)}% more` : `${short(ratio)} times as much`})${part}.`,
  ];
}

const short = (value: number) => (value >= 100 ? value.toFixed(0) : value.toPrecision(2));

const ms = ({ msPerStep }: OptimizerSummary) => short(msPerStep!);

function ofSensitivity(analyses: readonly Sensitivity[]): string[] {
  const read = analyses.filter(({ widthDecades }) => widthDecades !== null);
  if (read.length === 0) return [];
  const each = read.map(({ arm, widthDecades }) => `${arm} over ${widthDecades!.toFixed(1)}`);
  const off = read.filter(({ bestFactor }) => bestFactor !== 1);
  return [
    `Decades of learning rate over which the accuracy stays within 2 points of its best: ${listed(each)}.`,
    ...(off.length > 0
      ? [
          `Best at another rate than its own: ${listed(off.map(({ arm, bestFactor }) => `${arm} (at ${bestFactor} times it)`))}.`,
        ]
      : []),
  ];
}

function nextStep(
  leader: OptimizerSummary | undefined,
  others: readonly OptimizerSummary[],
  order: readonly OptimizerSummary[],
  { pairs, sensitivity = [] }: ConclusionInput,
): string[] {
  if (order.length === 0) return [];
  if (order.some((arm) => (arm.unfinished ?? 0) > 0))
    return ["Next: finish the trials that are left."];
  const gone = order.filter((arm) => arm.diverged === arm.seeds.length).map(({ name }) => name);
  if (!leader)
    return gone.length > 0 ? ["Next: lower the rates, or find them with a range test."] : [];
  const mend =
    gone.length > 0
      ? [`Next: give ${listed(gone)} a lower rate, or find one with a range test.`]
      : [];
  if (mend.length > 0) return mend;
  if (leader.diverged > 0)
    return [
      `Next: ${leader.name} at a lower rate; one at which some seeds diverge is not to be relied on.`,
    ];
  const next = others[0];
  if (!next) return seedsOf(leader) === 1 ? ["Next: repeat it with more seeds."] : [];
  const pair = pairOf(pairs, leader.name, next.name);
  if (!pair || pair.mean === null || pair.interval === null)
    return [`Next: ${leastSeeds()} seeds or more, the fewest with which a paired test can decide.`];
  if (pair.adjustedP! < ALPHA && excludesZero(pair))
    return sensitivity.length > 0
      ? []
      : [
          "The ranking holds at these learning rates. Next: see with --sensitivity 5 how it depends on them.",
        ];
  const wanted = recommendedSeeds(pair);
  const small = Math.abs(pair.mean) < NEGLIGIBLE || wanted === null;
  return small && !excludesZero(pair)
    ? [
        `Next: choose between ${leader.name} and ${next.name} by cost or by time to a target; their difference is too small to chase.`,
      ]
    : [
        `Next: compare ${leader.name} and ${next.name} alone over ${counted(wanted ?? leastSeeds(), "seed")}.`,
      ];
}

/** The pair as first - second, whichever way it is recorded; undefined where there is none. */
export function pairOf(
  pairs: readonly PairedDifference[],
  first: string,
  second: string,
): PairedDifference | undefined {
  const found = pairs.find(
    ({ a, b }) => (a === first && b === second) || (a === second && b === first),
  );
  if (!found || found.a === first) return found;
  const flip = <T extends { low: number; high: number }>(interval: T | null) =>
    interval && { ...interval, low: -interval.high, high: -interval.low };
  return {
    ...found,
    a: first,
    b: second,
    differences: found.differences.map((difference) => 0 - difference),
    mean: found.mean === null ? null : 0 - found.mean,
    interval: flip(found.interval),
    bootstrap: flip(found.bootstrap),
    probability: found.probability === null ? null : 1 - found.probability,
  };
}

/** Whether the t interval leaves 0 out. */
export const excludesZero = ({ interval }: Pick<PairedDifference, "interval">): boolean =>
  interval !== null && (interval.low > 0 || interval.high < 0);

const accuracy = (arm: OptimizerSummary) => arm.finalValidationAccuracy.mean!;

/** Seeds with a final value. */
const seedsOf = ({ finalValidationAccuracy: { values } }: OptimizerSummary) =>
  values.filter((value) => value !== null).length;

/** "1.5 points" */
const points = (difference: number) =>
  `${percentDigits(difference)} ${percentDigits(difference) === "1.0" ? "point" : "points"}`;

/** "+1.5" and "−0.3", in points. */
const signed = (difference: number) =>
  `${difference < 0 ? "−" : "+"}${percentDigits(Math.abs(difference))}`;

const pValue = (p: number) => (p < 0.001 ? "below 0.001" : String(Number(p.toPrecision(2))));
const pText = (p: number) => (p < 0.001 ? "p < 0.001" : `p = ${pValue(p)}`);
