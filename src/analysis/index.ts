/** @file From records to numbers: smoothing, suggestions, statistics. Pure and browser-safe. */

export { accuracyElbow, type ElbowBounds } from "./accuracy-elbow.ts";
export { type BandPoint, bands } from "./bands.ts";
export { BOOTSTRAP_FROM, bootstrapMean, quantile } from "./bootstrap.ts";
export {
  type ConclusionInput,
  conclude,
  excludesZero,
  pairOf,
  recommendedSeeds,
} from "./conclusion.ts";
export { type Measure, PRIMARY_MEASURE, pairedDifference, pairedDifferences } from "./paired.ts";
export { performanceProfile } from "./performance-profile.ts";
export { pairedPower, seedsNeeded } from "./power.ts";
export {
  comparePublished,
  PUBLICATION,
  type PublishedCurve,
  type PublishedExperiment,
  publishedCurves,
  publishedExperiment,
  publishedOptimizer,
} from "./published.ts";
export { type RangeTestBandPoint, rangeTestBand } from "./range-test-band.ts";
export {
  argmin,
  type Curve,
  checkRuleName,
  elbow,
  minimumOverTen,
  type RangeTestRule,
  type RangeTestRuleName,
  rangeTestRules,
  slide,
  steepest,
  valley,
} from "./range-test-rules.ts";
export { ranked } from "./ranking.ts";
export { sensitivities, sensitivityFactors } from "./sensitivity.ts";
export { holm, leastSeeds, leastSignFlipP, signFlipP } from "./sign-flip.ts";
export {
  checkSmoothing,
  SMOOTHING_WEIGHT,
  SMOOTHINGS,
  type Smoothing,
  type SmoothingOptions,
  smooth,
  smoothing,
} from "./smoothing.ts";
export { spreadOf } from "./spread.ts";
export { mean, median, medianRate, standardDeviation } from "./statistics.ts";
export { LEVEL, tInterval, twoSidedP, twoSidedT } from "./student-t.ts";
export {
  BASE_RATIO,
  finiteCurve,
  type RangeTestRun,
  readRules,
  type Suggestions,
  type SuggestOptions,
  suggest,
} from "./suggest.ts";
export { type MeasuredTrial, type SummarizeOptions, summarize } from "./summarize.ts";
export { chooseTargets, reach, timeToTarget } from "./time-to-target.ts";
