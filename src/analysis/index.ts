/** @file From records to numbers: smoothing, suggestions, statistics. Pure and browser-safe. */

export { type BandPoint, bands } from "./bands.ts";
export {
  type ConclusionInput,
  conclude,
  excludesZero,
  pairOf,
  recommendedSeeds,
} from "./conclusion.ts";
export { performanceProfile } from "./performance-profile.ts";
export { accuracyElbow, type ElbowBounds } from "./range-test/accuracy-elbow.ts";
export { beginning, GREATEST_LOSS } from "./range-test/averaged.ts";
export { type RangeTestBandPoint, rangeTestBand } from "./range-test/band.ts";
export { finiteCurve, type RangeTestRun } from "./range-test/curves.ts";
export { type Ends, readRules } from "./range-test/readings.ts";
export {
  argmin,
  BASE_RATIO,
  type Curve,
  checkRuleName,
  elbow,
  minimumOverTen,
  PUBLISHED_FACTORS,
  RATE_FACTORS,
  type RangeTestRule,
  type RangeTestRuleName,
  rangeTestRules,
  slide,
  steepest,
  valley,
} from "./range-test/rules.ts";
export { ALL_RATES, endsAbout, searchUpdates } from "./range-test/search.ts";
export {
  checkSmoothing,
  proportionalWeight,
  SMOOTHING_WEIGHT,
  SMOOTHINGS,
  type Smoothing,
  type SmoothingOptions,
  smooth,
  smoothedVariance,
  smoothing,
} from "./range-test/smoothing.ts";
export { type Suggestions, type SuggestOptions, suggest } from "./range-test/suggest.ts";
export { ranked } from "./ranking.ts";
export { sensitivities, sensitivityFactors } from "./sensitivity.ts";
export { BOOTSTRAP_FROM, bootstrapMean, quantile } from "./statistics/bootstrap.ts";
export {
  type Measure,
  PRIMARY_MEASURE,
  pairedDifference,
  pairedDifferences,
} from "./statistics/paired.ts";
export { pairedPower, seedsNeeded } from "./statistics/power.ts";
export { holm, leastSeeds, leastSignFlipP, signFlipP } from "./statistics/sign-flip.ts";
export { spreadOf } from "./statistics/spread.ts";
export { mean, median, medianRate, standardDeviation } from "./statistics/statistics.ts";
export { LEVEL, tInterval, twoSidedP, twoSidedT } from "./statistics/student-t.ts";
export { type SummarizeOptions, summarize } from "./summarize.ts";
export { chooseTargets, reach, timeToTarget } from "./time-to-target.ts";
