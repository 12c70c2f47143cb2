/**
 * @file Experiments whose arms are pruned at one rung half way, drawn at random, judged by the product's own rules and
 * summarised by its own `summarize`. Equal cells give equal counts.
 */

import { aboveMedian, armAtRung, halving, summarize } from "../../src/analysis/index.ts";
import type { TrialHistory } from "../../src/record/index.ts";
import { trial } from "../report/measured.ts";
import { CENTRE, drawing, experimentOf, NOISE } from "./experiments.ts";
import { cell, type Plan, slack, table } from "./tables.ts";

export interface PrunedCell {
  readonly arms: number;
  readonly seeds: number;
  readonly rule: "none" | "halving" | "median";
  /** What the first arm is better by, at the rung and at the end, in standard deviations of a paired difference. */
  readonly effect: number;
  /** Of an arm's scatter at the rung with that at the end. */
  readonly correlation: number;
}

/** Parts of all experiments of a cell. */
export interface PrunedRates {
  /** The first arm, which is better where any is, was pruned. */
  readonly bestPruned: number;
  /** Any pair is called apart that is not, or the wrong way round. */
  readonly false: number;
  /** Intervals of differences between arms that are left, that hold the truth. */
  readonly pairCoverage: number;
  /** By how much the leader's mean accuracy is too high, on average. */
  readonly tooHigh: number;
  /** The conclusion says what pruning does, in experiments in which it pruned. */
  readonly said: number;
}

/** The rung, and the end. */
const [RUNG, EPOCHS] = [1, 2];

export function simulatePruned(of: PrunedCell, experiments: number, key = 0): PrunedRates {
  const { arms, seeds, rule, effect, correlation } = of;
  const shift = effect * NOISE * Math.SQRT2;
  const truth = (name: string) => CENTRE + (name === "arm0" ? shift : 0);
  const names = Array.from({ length: arms }, (_, i) => `arm${i}`);
  const base = experimentOf(names, seeds, 5000);
  const pruning = { method: "halving", reduction: 3, grace: RUNG, finalists: 2 } as const;
  const experiment = {
    ...base,
    protocol: {
      ...{ ...base.protocol, epochs: EPOCHS },
      ...(rule === "none" ? {} : { pruning: { ...pruning, method: rule } }),
    },
  };
  const count = { bestPruned: 0, false: 0, held: 0, pairs: 0, tooHigh: 0, said: 0, pruned: 0 };
  for (let number = 0; number < experiments; number++) {
    const { normal } = drawing(key, number);
    const hardness = Array.from({ length: seeds }, () => 0.01 * normal());
    const curves = names.map((name) =>
      hardness.map((seed) => {
        const end = normal();
        const early = correlation * end + Math.sqrt(1 - correlation ** 2) * normal();
        const at = (noise: number) => truth(name) + seed + NOISE * noise;
        return [at(early) - 0.2, at(end)] as const;
      }),
    );
    const going = left(of, names, curves);
    const trials = names.flatMap((name, arm) =>
      curves[arm]!.map(([early, end], seed) =>
        going.has(name)
          ? trial(name, seed, [early, end], { slug: name, epochs: EPOCHS })
          : trial(name, seed, [early], {
              ...{ slug: name, epochs: EPOCHS, status: "pruned", endedBy: "pruned", rung: RUNG },
            }),
      ),
    );
    const {
      pairs = [],
      optimizers,
      conclusion = "",
    } = summarize(experiment, trials, { targets: [] });
    if (!going.has("arm0")) count.bestPruned++;
    const wrong = ({ verdict, mean, a, b }: (typeof pairs)[number]) =>
      verdict !== undefined && verdict !== "open" && mean! * (truth(a) - truth(b)) <= 0;
    if (pairs.some(wrong)) count.false++;
    for (const { interval, a, b } of pairs) {
      if (!interval) continue;
      const gap = truth(a) - truth(b);
      count.pairs++;
      if (interval.low <= gap && gap <= interval.high) count.held++;
    }
    const finished = optimizers.filter(({ finalValidationAccuracy: { mean } }) => mean !== null);
    const leader = finished.reduce((best, arm) =>
      arm.finalValidationAccuracy.mean! > best.finalValidationAccuracy.mean! ? arm : best,
    );
    count.tooHigh += leader.finalValidationAccuracy.mean! - truth(leader.name);
    if (going.size < arms) {
      count.pruned++;
      if (/does not show where .* chosen by these same seeds/.test(conclusion)) count.said++;
    }
  }
  return {
    bestPruned: count.bestPruned / experiments,
    false: count.false / experiments,
    pairCoverage: count.held / count.pairs,
    tooHigh: count.tooHigh / experiments,
    said: count.pruned === 0 ? 1 : count.said / count.pruned,
  };
}

/** The arms that go on from the rung. */
function left(
  { seeds, rule }: PrunedCell,
  names: readonly string[],
  curves: readonly (readonly (readonly [number, number])[])[],
): ReadonlySet<string> {
  const all = Array.from({ length: seeds }, (_, seed) => seed);
  const at = names.flatMap((name, arm) => {
    const histories = curves[arm]!.map(
      ([early], seed): TrialHistory => trial(name, seed, [early], { status: "paused" }),
    );
    return armAtRung(name, histories, { epoch: RUNG, seeds: all }) ?? [];
  });
  if (rule === "none") return new Set(names);
  return rule === "halving"
    ? halving(at, { reduction: 3, least: 2 })
    : aboveMedian(at, { least: 2 });
}

const ARMS = 9;
const CORRELATION = 0.6;
const SEEDS = [1, 3, 5, 8] as const;
const OF_TESTS = [3, 5, 8] as const;

/**
 * The tables of docs/guide/pruning.md, which scripts/simulate.mjs writes there.
 * @public
 */
export function prunedTables({ experiments, onCell = () => {} }: Plan): string {
  let key = 0;
  const run = (of: Pick<PrunedCell, "rule" | "seeds" | "effect">) => {
    const rates = simulatePruned(
      { ...of, arms: ARMS, correlation: CORRELATION },
      experiments,
      ++key,
    );
    onCell(`${JSON.stringify(of)} ${JSON.stringify(rates)}`);
    return rates;
  };
  const rules = ["halving", "median"] as const;
  const percent = (part: number) => (100 * part).toFixed(1);
  const better = rules.flatMap((rule) =>
    [0.5, 1, 2].map((effect) => [
      `${rule}, better by ${effect}`,
      ...SEEDS.map((seeds) => percent(run({ rule, effect, seeds }).bestPruned)),
    ]),
  );
  const equal = (["none", ...rules] as const).map((rule) => ({
    rule,
    rates: OF_TESTS.map((seeds) => run({ rule, effect: 0, seeds })),
  }));
  const above = (part: number) => part - slack(0.05, experiments) > 0.05;
  const outside = (part: number) => Math.abs(part - 0.95) > 0.02 + slack(0.95, experiments);
  const head = (first: string, seeds: readonly number[]) => [
    first,
    ...seeds.map((n) => `${n} ${n === 1 ? "seed" : "seeds"}`),
  ];
  return [
    "One arm of nine better by so many standard deviations of a paired difference: experiments in which it was pruned, in percent. Pruning at random would be 66.7 with `halving`.",
    table(head("rule", SEEDS), better),
    "Nine equal arms: experiments in which any pair was called apart, in percent, and in brackets the intervals of a difference between arms that are left that held the truth.",
    table(
      head("rule", OF_TESTS),
      equal.map(({ rule, rates }) => [
        rule,
        ...rates.map((of) => `${cell(of.false, above)} (${cell(of.pairCoverage, outside)})`),
      ]),
    ),
    "The same: by how many points the accuracy of the arm that leads at the end is too high, on average; without pruning it is the best of nine, too.",
    table(
      head("rule", OF_TESTS),
      equal.map(({ rule, rates }) => [rule, ...rates.map(({ tooHigh }) => percent(tooHigh))]),
    ),
  ].join("\n\n");
}
