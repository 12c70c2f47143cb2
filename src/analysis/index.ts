/** @file From records to numbers: smoothing, suggestions, statistics. Pure and browser-safe. */

export { type BandPoint, bands } from "./bands.ts";
export {
  argmin,
  type Curve,
  minimumOverTen,
  type RangeTestRule,
  type RangeTestRuleName,
  rangeTestRules,
  slide,
  steepest,
  valley,
} from "./range-test-rules.ts";
export { SMOOTHING_WEIGHT, smooth, smoothing } from "./smoothing.ts";
export { mean, median, medianRate, spreadOf, standardDeviation } from "./statistics.ts";
export {
  BASE_RATIO,
  finiteCurve,
  type RangeTestRun,
  type Suggestions,
  suggest,
} from "./suggest.ts";
export { type MeasuredTrial, summarize } from "./summarize.ts";
