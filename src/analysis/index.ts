/** @file From records to numbers: smoothing, suggestions, statistics. Pure and browser-safe. */

export { type BandPoint, bands } from "./bands.ts";
export { type Answered, CALIBRATION_BINS, calibrationOf } from "./calibration.ts";
export { conclude } from "./conclusion/conclude.ts";
export { isNegligible, MARGIN, recommendedSeeds } from "./conclusion/lead.ts";
export {
  type ConclusionInput,
  comparisonsOf,
  epochsRun,
  type Guess,
  isApart,
} from "./conclusion/wording.ts";
export { isMixed, isSameMachine, machineText } from "./machines.ts";
export { performanceProfile } from "./performance-profile.ts";
export {
  aboveMedian,
  halving,
  medianOfOthers,
  promotable,
  promotedOf,
  ranking,
} from "./pruning/rules.ts";
export { type ArmAtRung, armAtRung } from "./pruning/scores.ts";
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
  DEFAULT_RULES,
  elbow,
  fall,
  minimumOverTen,
  PUBLISHED_FACTORS,
  RATE_FACTORS,
  type RangeTestRule,
  rangeTestRules,
  slide,
  steepest,
  valley,
} from "./range-test/rules.ts";
export { ALL_RATES, endsAbout, searchUpdates } from "./range-test/search.ts";
export {
  aboutEachRate,
  checkSmoothing,
  LOCAL_WIDTH,
  proportionalWeight,
  SMOOTHING_WEIGHT,
  SMOOTHINGS,
  type Smoothing,
  type SmoothingOptions,
  smooth,
  smoothing,
} from "./range-test/smoothing.ts";
export { type Suggestions, type SuggestOptions, suggest } from "./range-test/suggest.ts";
export { isSparse, ranked } from "./ranking.ts";
export { sensitivities, sensitivityFactors } from "./sensitivity.ts";
export { type OverImages, overImages } from "./statistics/over-images.ts";
export {
  type Measure,
  type PairingOptions,
  PRIMARY_MEASURE,
  pairedDifference,
  pairedDifferences,
  pairOf,
} from "./statistics/paired.ts";
export { ALPHA, pairedPower, seedsNeeded, verdictPower } from "./statistics/power.ts";
export { proportionInterval } from "./statistics/proportion.ts";
export { holm, leastSeeds, leastSignFlipP, signFlipP } from "./statistics/sign-flip.ts";
export { accuracyInterval, accuracySpread, spreadOf } from "./statistics/spread.ts";
export { mean, median, medianRate, standardDeviation } from "./statistics/statistics.ts";
export { LEVEL, tInterval, tTestP, twoSidedP, twoSidedT } from "./statistics/student-t.ts";
export { type SummarizeOptions, summarize } from "./summarize.ts";
export { secondsLeft, type TimeLeftInput } from "./time-left.ts";
export { chooseTargets, reach, timeToTarget } from "./time-to-target.ts";
