/** @file Which learning rate an arm uses, when, and where it came from. */

import { ArgumentError } from "../core/errors.ts";
import type { Optimizer } from "../optimizers/index.ts";
import type { ArmRecord, Planned, RangeTestRecord, ScheduleSpec, Span } from "../record/index.ts";
import { formatRate } from "../schedules/index.ts";
import { armSchedule, isCyclical, isSpecified } from "./arm-schedules.ts";

export interface ScheduleContext {
  readonly request: Pick<
    Planned,
    "epochs" | "learningRates" | "maxLr" | "baseLr" | "stepSize" | "snapCycles"
  >;
  /** The arm's range test, where it has one. */
  readonly found: RangeTestRecord | undefined;
  readonly updatesPerEpoch: number;
}

/**
 * Whether the arm's rate is not known before a range test: of cyclical arms always, of others where
 * `learningRates` is "range-test"; unless it was given, by `@RATE` or `maxLr`.
 */
export function needsRangeTest(
  { schedule, learningRate }: Pick<ArmRecord, "schedule" | "learningRate">,
  { learningRates = "defaults", maxLr }: ScheduleContext["request"],
): boolean {
  if (learningRate !== null || isSpecified(schedule)) return false;
  return isCyclical(schedule) ? maxLr === undefined : learningRates === "range-test";
}

/**
 * The arm's schedule, and the source of its rate in words. A suggestion is an upper bound: cyclical arms
 * have it as their greatest rate, other schedules as the rate that they begin or peak at, and arms
 * without a schedule as their constant one.
 * @throws ArgumentError where the range test's upper bound lies below the lower bound that was given
 */
export function scheduleOf(
  arm: ArmRecord,
  optimizer: Optimizer,
  context: ScheduleContext,
): { schedule: ScheduleSpec; source: string } {
  const { request, updatesPerEpoch } = context;
  const { rate, source } = rateOf(arm, optimizer, context);
  const options = {
    rate,
    steps: request.epochs * updatesPerEpoch,
    snap: request.snapCycles ?? false,
  };
  const written = (schedule: { toJSON(): unknown }) => schedule.toJSON() as ScheduleSpec;
  if (isSpecified(arm.schedule))
    return { schedule: written(armSchedule(arm.schedule, options)), source: "its schedule" };
  if (!isCyclical(arm.schedule))
    return { schedule: written(armSchedule(arm.schedule, options)), source };
  const base = lowerBound(arm, rate, context);
  const stepSize = updatesOf(request.stepSize ?? { count: 4, unit: "epochs" }, updatesPerEpoch);
  const bounds = { base, max: rate, stepSize };
  return { schedule: written(armSchedule(arm.schedule, { ...options, bounds })), source };
}

/** Half a cycle, "4e", in updates; at least one. */
function updatesOf(size: number | Span, updatesPerEpoch: number): number {
  const { count, unit } = typeof size === "number" ? { count: size, unit: "updates" } : size;
  const updates = unit === "updates" ? count : Math.max(1, Math.round(count * updatesPerEpoch));
  // Cycles have an up and a down, whose sum has to be exact.
  if (typeof size !== "number" && updates > Number.MAX_SAFE_INTEGER / 2)
    throw new ArgumentError(
      `--step-size must come to at most ${Math.floor(Number.MAX_SAFE_INTEGER / 2)} updates; got ${updates}`,
    );
  return updates;
}

/** Given, found by a range test, or the optimizer's default. */
function rateOf(
  arm: ArmRecord,
  optimizer: Optimizer,
  { request, found }: ScheduleContext,
): { rate: number; source: string } {
  if (arm.learningRate !== null)
    return { rate: arm.learningRate, source: `given: ${formatRate(arm.learningRate)}` };
  const factor = factorOf(arm);
  const times = (rate: number, source: string) =>
    factor === 1 ? { rate, source } : { rate: rate * factor, source: `${factor} x ${source}` };
  if (isCyclical(arm.schedule) && request.maxLr !== undefined)
    return times(request.maxLr, `given: ${formatRate(request.maxLr)}`);
  if (found) return times(found.suggestion.maxLr, foundText(found));
  return times(optimizer.hyperparameters.learningRate, `default of ${optimizer.name}`);
}

/** Of which a record says nothing, as it is the default. */
const DEFAULT_RULE = "minimum/10";

/** Of a point of a sensitivity analysis, on the rate of the arm that it belongs to. */
const factorOf = ({ sensitivity }: ArmRecord): number => sensitivity?.factor ?? 1;

/** "range test: 1.2e-2", or of several seeds "range test, median of 3 seeds: 1.2e-2 (8e-3 to 1.5e-2)". */
function foundText({ suggestion, runs }: RangeTestRecord): string {
  const { maxLr, low, high } = suggestion;
  const named = suggestion.rule === DEFAULT_RULE ? "" : ` by ${suggestion.rule}`;
  if (runs.length === 1) return `range test${named}: ${formatRate(maxLr)}`;
  return `range test${named}, median of ${runs.length} seeds: ${formatRate(maxLr)} (${formatRate(low)} to ${formatRate(high)})`;
}

/** Of a cyclical arm: given, what the rule says (the elbow has a bound of its own), or a sixth of the upper bound. */
function lowerBound(arm: ArmRecord, max: number, { request, found }: ScheduleContext): number {
  const elbow = found?.suggestion.rule === "elbow" ? found.suggestion.baseLr : undefined;
  const given = request.baseLr ?? elbow;
  const base = given === undefined ? max / 6 : given * factorOf(arm);
  if (base >= max)
    throw new ArgumentError(
      `compare: baseLr must be below the ${found ? "range test's " : ""}upper bound ${max} of ${arm.name}; got ${base}. Leave --base-lr out, or give --max-lr`,
    );
  return base;
}
