/** @file A range test read as it was published: the median over the seeds of a rule's rate, as it is. */

import { at, get, present } from "../../core/at.ts";
import type { RangeTestDoubt, RangeTestReading, SuggestedRate } from "../../record/index.ts";
import { medianRate } from "../statistics/statistics.ts";
import { accuracyElbow } from "./accuracy-elbow.ts";
import { type AveragedCurve, averaged, isFlat, isUnbracketed, type RawCurve } from "./averaged.ts";
import { intervalAbout, within } from "./readings.ts";
import { BASE_RATIO, PUBLISHED_FACTORS } from "./rules.ts";
import type { Asked, Found } from "./suggest.ts";
import { cannotSay, type Doubtful, nothingFinite, ofSeeds, READ, REASONS } from "./verdict.ts";

/**
 * One upper bound for every use, and a sixth of it, or what the elbow says, below a cycle. What else there is
 * to say of the curves are doubts: no more is asked of the bound than that it was tested.
 */
export function readAsPublished(
  { curves, ends, updates, rule: wanted }: Asked,
  readings: Readonly<Record<string, RangeTestReading>>,
): Found {
  const finite = curves.filter(({ losses }) => losses.length > 0);
  if (finite.length === 0) return nothingFinite(ends, curves);
  const rule = get(readings, wanted, "readings").median === null ? "minimum/10" : wanted;
  const { values, median, low, high } = get(readings, rule, "readings");
  const read = present(median, "median") * PUBLISHED_FACTORS.constant;
  const rate = within(ends, read);
  const bound: SuggestedRate = {
    ...{
      rate,
      rule,
      low: within(ends, present(low, "low")),
      high: within(ends, present(high, "high")),
    },
    interval: intervalAbout(
      rate,
      values.filter((value) => value !== null),
      ends,
    ),
  };
  const baseLr = rule === "elbow" ? elbowBase(finite) : rate / BASE_RATIO;
  const said = { constant: bound, peak: { ...bound, baseLr } };
  const isOutside = read !== rate;
  const doubt = (kind: Doubtful, is: (curve: AveragedCurve) => boolean): RangeTestDoubt[] => {
    const some = finite.filter((curve) => is(averaged([curve])));
    if (some.length === 0) return [];
    const of = ` for ${ofSeeds(some, curves.length)}`;
    const { message } = cannotSay(kind, ends, { curves: some, updates, of });
    return [{ kind, seeds: some.map(({ seed }) => seed), message }];
  };
  const lost = curves.filter(({ losses }) => losses.length === 0);
  return {
    suggestion: isOutside ? null : said,
    verdict: isOutside ? cannotSay("outside", ends, { curves, updates }) : READ,
    unguarded: isOutside ? said : null,
    seeds: curves.map(({ seed, losses }, i) =>
      losses.length === 0
        ? { seed, status: "left out", reason: REASONS["no-finite-loss"], rate: null }
        : { seed, status: "read", reason: null, rate: at(values, i, "values") },
    ),
    doubts: [
      ...doubt("not-bracketed", isUnbracketed),
      ...doubt("too-flat", isFlat),
      ...(lost.length === 0
        ? []
        : [
            {
              kind: "no-finite-loss" as const,
              seeds: lost.map(({ seed }) => seed),
              message: `${lost.length} of ${curves.length} seeds had no finite loss at all and were left out; lower --from`,
            },
          ]),
    ],
    rule,
  };
}

function elbowBase(curves: readonly RawCurve[]): number {
  const bounds = curves.map(({ lrs, accuracies }) =>
    accuracies.every((one) => one !== null) ? accuracyElbow(lrs, accuracies as number[]) : null,
  );
  return medianRate(bounds.flatMap((found) => (found ? found.baseLr : [])));
}
