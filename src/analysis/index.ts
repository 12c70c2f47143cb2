/** @file From records to numbers: smoothing, suggestions, statistics. Pure and browser-safe. */

export { accuracyElbow, type ElbowBounds } from "./accuracy-elbow.ts";
export { type BandPoint, bands } from "./bands.ts";
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
export {
  checkSmoothing,
  SMOOTHING_WEIGHT,
  SMOOTHINGS,
  type Smoothing,
  type SmoothingOptions,
  smooth,
  smoothing,
} from "./smoothing.ts";
export { mean, median, medianRate, spreadOf, standardDeviation } from "./statistics.ts";
export {
  BASE_RATIO,
  finiteCurve,
  type RangeTestRun,
  type Suggestions,
  type SuggestOptions,
  suggest,
} from "./suggest.ts";
export { type MeasuredTrial, summarize } from "./summarize.ts";
