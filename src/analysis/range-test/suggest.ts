/**
 * @file From the curves of a range test to the rates that it suggests, or to why it cannot say: a pure function
 * of the curves. Rules and their factors are those of rules.ts; what a curve must show is in averaged.ts.
 */

import { at, present } from "../../core/at.ts";
import type {
  RangeTestDoubt,
  RangeTestRecord,
  RangeTestRuleName,
  RangeTestSeed,
  RangeTestSuggestion,
  SuggestedRate,
} from "../../record/index.ts";
import { accuracyElbow } from "./accuracy-elbow.ts";
import { type AveragedCurve, averaged, isFlat, isUnbracketed, type RawCurve } from "./averaged.ts";
import { type RangeTestRun, rawCurve } from "./curves.ts";
import { readAsPublished } from "./published.ts";
import { type Ends, endsOf, intervalAbout, readRules, within } from "./readings.ts";
import { BASE_RATIO, checkRuleName, DEFAULT_RULES, RATE_FACTORS, rangeTestRules } from "./rules.ts";
import {
  cannotSay,
  DOUBTFUL,
  type Doubtful,
  nothingFinite,
  ofSeeds,
  READ,
  REASONS,
} from "./verdict.ts";

/** What `suggest` reads off the curves; the fields of a RangeTestRecord. */
export type Suggestions = Pick<
  RangeTestRecord,
  "suggestion" | "verdict" | "unguarded" | "seeds" | "suggestions" | "doubts" | "warnings"
> &
  Required<Pick<RangeTestRecord, "readings">>;

export interface SuggestOptions {
  /**
   * Default "fall", and of a published reading "minimum/10", which is also taken, and that said, where no curve
   * carries another.
   */
  readonly rule?: RangeTestRuleName;
  /**
   * "averaged" (the default): the rule's reading of the seeds' mean curve, where that shows a fall and a
   * minimum. "published": the median of the rule's readings of the points' own smoothed losses, as it is.
   */
  readonly reading?: "averaged" | "published";
  /** Ends of the ramp that was asked for; default: the least and the greatest rate of the points. */
  readonly from?: number;
  readonly to?: number;
  /** Of a seed's whole test, for what a longer one would be; default: the points of the longest run. */
  readonly updates?: number;
}

/** A range test as it is read: its curves, and what is asked of them. */
export interface Asked {
  readonly curves: readonly RawCurve[];
  readonly rule: RangeTestRuleName;
  readonly ends: Ends;
  readonly updates: number;
}

/** What one of the readings finds. */
export type Found = Omit<Suggestions, "readings" | "suggestions" | "warnings"> & {
  /** The rule that was read; null where none could be. */
  readonly rule: RangeTestRuleName | null;
};

/**
 * A constant rate and a peak by `rule`, the reading of every rule, and what the user should be told. A
 * suggestion, its interval and all beside it lie between the ends of the ramp. `suggestion` is null where the
 * test cannot say; `verdict` then has why, and what would.
 *
 * A seed whose own curve does not carry a reading is left out and named, unless that leaves less than half of
 * them: then those whose losses are finite are read together, without an interval.
 * @param runs one a seed, on the same ramp: a seed's points are matched to another's by their place
 * @throws ArgumentError for an unknown rule
 */
export function suggest(runs: readonly RangeTestRun[], options: SuggestOptions = {}): Suggestions {
  const { reading = "averaged" } = options;
  const { rule = DEFAULT_RULES[reading] } = options;
  checkRuleName(rule);
  const ends = { ...endsOf(runs), ...given(options) };
  const curves = runs.map((run) => rawCurve(run, ends.to));
  const readings = readRules(runs, ends);
  const longest = runs.reduce((most, { points }) => Math.max(most, points.length), 0);
  const asked = { curves, rule, ends, updates: options.updates ?? longest };
  const { rule: taken, ...found } =
    reading === "published" ? readAsPublished(asked, readings) : readAveraged(asked);
  const { verdict, doubts } = found;
  return {
    ...found,
    suggestions: Object.fromEntries(
      Object.entries(readings).flatMap(([name, { median }]) =>
        median === null ? [] : [[name, median] as const],
      ),
    ),
    readings,
    warnings: [
      ...(verdict.kind === "read" ? [] : [verdict.message]),
      ...doubts.map(({ message }) => message),
      ...(taken === null || taken === rule || (!options.rule && verdict.kind !== "read")
        ? []
        : [
            `no curve carries the rule "${rule}", so ${taken} is suggested instead; use more updates, or another rule`,
          ]),
    ],
  };
}

const given = ({ from, to }: Partial<Ends>): Partial<Ends> => ({
  ...(from === undefined ? {} : { from }),
  ...(to === undefined ? {} : { to }),
});

/** The mean curve, guarded. */
function readAveraged(asked: Asked): Found {
  const { curves, ends, updates } = asked;
  const finite = curves.filter(({ losses }) => losses.length > 0);
  if (finite.length === 0) return nothingFinite(ends, curves);
  const own = curves.map((curve) => ({
    curve,
    ...(curve.losses.length === 0 ? LOST : judged(asked, averaged([curve]))),
  }));
  const readable = own.filter(({ doubt }) => doubt === null).map(({ curve }) => curve);
  const kept = 2 * readable.length >= curves.length ? readable : finite;
  const whole = averaged(kept);
  const { doubt, rate, rule } = judged(asked, whole);
  const seeds = own.map(({ curve, ...each }): RangeTestSeed => {
    const read = kept.includes(curve);
    const reason = each.doubt && REASONS[each.doubt];
    return {
      seed: curve.seed,
      status: read ? "read" : "left out",
      reason: reason && read ? `${reason} by itself` : reason,
      rate: each.doubt === null && each.rule === rule ? each.rate : null,
    };
  });
  const said = suggestionOf({ rule, rate, whole, seeds, ends });
  if (doubt !== null)
    return {
      ...{ suggestion: null, verdict: cannotSay(doubt, ends, { curves: kept, updates }) },
      ...{ unguarded: said, seeds, doubts: [], rule },
    };
  const doubts = DOUBTFUL.flatMap((kind): RangeTestDoubt[] => {
    const some = own.filter((one) => one.doubt === kind).map(({ curve }) => curve);
    if (some.length === 0) return [];
    const were = some.length === 1 ? "was" : "were";
    const what = kept.includes(at(some, 0, "some"))
      ? "read only together with the others"
      : "left out";
    return [
      {
        kind,
        seeds: some.map(({ seed }) => seed),
        message: `${ofSeeds(some, curves.length)} ${were} ${what}: ${REASONS[kind]}`,
      },
    ];
  });
  return { suggestion: said, verdict: READ, unguarded: null, seeds, doubts, rule };
}

const LOST = { doubt: "no-finite-loss", rate: null, rule: null } as const;

/** What a curve says by the rule: a constant rate, and why it does not count. */
function judged(
  { rule: wanted, ends }: Asked,
  curve: AveragedCurve,
): { doubt: Doubtful | null; rate: number; rule: RangeTestRuleName } {
  const rule = rangeTestRules[wanted](curve) === null ? "minimum/10" : wanted;
  const rate = present(rangeTestRules[rule](curve), rule) * RATE_FACTORS[rule].constant;
  const found = { rate, rule };
  if (isFlat(curve)) return { ...found, doubt: "too-flat" };
  if (isUnbracketed(curve)) return { ...found, doubt: "not-bracketed" };
  return { ...found, doubt: within(ends, rate) === rate ? null : "outside" };
}

/** Both rates, with what the seeds' own say of them; all within the ramp. */
function suggestionOf(of: {
  readonly rule: RangeTestRuleName;
  readonly rate: number;
  readonly whole: AveragedCurve;
  readonly seeds: readonly RangeTestSeed[];
  readonly ends: Ends;
}): RangeTestSuggestion {
  const { rule, whole, ends } = of;
  const factors = RATE_FACTORS[rule];
  const own = of.seeds.flatMap(({ rate }) => rate ?? []);
  const times = (factor: number): SuggestedRate => {
    const scale = factor / factors.constant;
    const rate = within(ends, of.rate * scale);
    const each = own.map((one) => within(ends, one * scale));
    return {
      ...{ rate, rule, low: Math.min(rate, ...each), high: Math.max(rate, ...each) },
      interval: intervalAbout(rate, each, ends),
    };
  };
  const peak = times(factors.peak);
  const elbow = rule === "elbow" ? accuracyElbow(whole.lrs, whole.accuracies ?? []) : null;
  return {
    constant: times(factors.constant),
    peak: { ...peak, baseLr: elbow ? Math.min(elbow.baseLr, peak.rate) : peak.rate / BASE_RATIO },
  };
}
