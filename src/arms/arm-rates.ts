/** @file Which learning rate an arm uses, when, and where it came from. */

import { DEFAULT_RULES } from "../analysis/index.ts";
import { present } from "../core/at.ts";
import { ArgumentError, RangeTestError } from "../core/errors.ts";
import type { Optimizer } from "../optimizers/index.ts";
import type {
  ArmRecord,
  Planned,
  RangeTestRecord,
  RangeTestSuggestion,
  ScheduleSpec,
  Span,
} from "../record/index.ts";
import { formatRate, type ReduceOnPlateau, type Schedule } from "../schedules/index.ts";
import { armSchedule, hasPeak, isCyclical, isSpecified } from "./arm-schedules.ts";
import { saysItsRates } from "./own-parts.ts";
import { dependsOnLength, firstLength, prolongedSchedule } from "./prolonged.ts";

export interface ScheduleContext {
  readonly request: Pick<
    Planned,
    | "epochs"
    | "prolonged"
    | "learningRates"
    | "maxLr"
    | "baseLr"
    | "stepSize"
    | "snapCycles"
    | "force"
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
  if (learningRate !== null || isSpecified(schedule) || saysItsRates(schedule)) return false;
  return isCyclical(schedule) ? maxLr === undefined : learningRates === "range-test";
}

/**
 * The arm's schedule, and the source of its rate in words; `beside`: what its momentum follows, where a run was
 * made longer and that is no longer what belongs beside the schedule. Of a range test, schedules that rise and fall have
 * the peak as their greatest rate; those that begin at their greatest, and arms without a schedule, have the
 * constant rate.
 * @throws RangeTestError where the range test cannot say, and the study is not forced to go on from it
 * @throws ArgumentError where the range test's upper bound lies below the lower bound that was given
 */
export function scheduleOf(
  arm: ArmRecord,
  optimizer: Optimizer,
  context: ScheduleContext,
): { schedule: ScheduleSpec; source: string; beside?: ScheduleSpec | null } {
  const { request, updatesPerEpoch } = context;
  const { rate, source } = rateOf(arm, optimizer, context);
  const options = {
    rate,
    steps: firstLength(request) * updatesPerEpoch,
    snap: request.snapCycles ?? false,
    settings: arm.scheduleSettings,
    updatesPerEpoch,
  };
  const written = (own: Schedule | ReduceOnPlateau) => {
    const lengths = { ...request, updatesPerEpoch };
    const { schedule, beside } = dependsOnLength(arm, request)
      ? prolongedSchedule(own, lengths)
      : { schedule: own };
    return {
      schedule: schedule.toJSON() as ScheduleSpec,
      ...(beside === undefined ? {} : { beside: beside?.toJSON() ?? null }),
    };
  };
  if (isSpecified(arm.schedule))
    return { ...written(armSchedule(arm.schedule, options)), source: "its schedule" };
  if (!isCyclical(arm.schedule))
    return {
      ...written(armSchedule(arm.schedule, options)),
      source: saysItsRates(arm.schedule) ? "its schedule" : source,
    };
  const base = lowerBound(arm, rate, context);
  const stepSize = updatesOf(request.stepSize ?? { count: 4, unit: "epochs" }, updatesPerEpoch);
  const bounds = { base, max: rate, stepSize };
  return { ...written(armSchedule(arm.schedule, { ...options, bounds })), source };
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
  if (found) {
    const use = hasPeak(arm.schedule) ? "peak" : "constant";
    const suggestion = usableOf(found, request.force);
    return times(suggestion[use].rate, foundText(found, suggestion, use));
  }
  return times(optimizer.hyperparameters.learningRate, `default of ${optimizer.name}`);
}

/** Of a point of a sensitivity analysis, on the rate of the arm that it belongs to. */
const factorOf = ({ sensitivity }: ArmRecord): number => sensitivity?.factor ?? 1;

/**
 * What the range test suggests; of one that cannot say, what it would have without its guards, if that is forced.
 * @throws RangeTestError
 */
export function usableOf(
  { arm, suggestion, unguarded, verdict }: RangeTestRecord,
  force = false,
): RangeTestSuggestion {
  const usable = suggestion ?? (force ? unguarded : null);
  if (usable) return usable;
  throw new RangeTestError(
    `range test of ${arm}: it cannot say which rate to train with: ${verdict.message}${force ? ". It has no rate to be forced from" : ""}`,
  );
}

/**
 * A study does not go on from a range test that cannot say, unless it is forced; nor from some of its arms, as
 * what is compared would then be another question.
 * @throws RangeTestError naming the arms, why, and what would do
 */
export function checkSayable(
  { force = false }: Pick<Planned, "force">,
  found: readonly RangeTestRecord[],
): void {
  const byArm = new Map(found.map((record) => [record.arm, record]));
  const silent = [...byArm.values()].filter(({ suggestion }) => suggestion === null);
  if (force || silent.length === 0) return;
  const why = silent.map(
    ({ arm, verdict: { message } }) => `${arm}: ${message.replace(/;.*/, "")}`,
  );
  const [first] = silent;
  throw new RangeTestError(
    `range test: it cannot say which rate to train with (${why.join("; ")}), so that nothing was trained. ${remedyText(present(first, "range test"))}, give the rate yourself (--max-lr, or ${present(first, "range test").arm}@RATE), or go on all the same with --force`,
  );
}

/** "Begin anew with --finder-updates 600 --to 1" */
function remedyText({ verdict: { remedy } }: RangeTestRecord): string {
  const { updates, from, to } = remedy ?? {};
  const flags = [
    ...(updates === undefined ? [] : [`--finder-updates ${updates}`]),
    ...(from === undefined ? [] : [`--from ${formatRate(from)}`]),
    ...(to === undefined ? [] : [`--to ${formatRate(to)}`]),
  ];
  return `Begin anew with ${flags.length > 0 ? flags.join(" ") : "other data"}`;
}

/** "range test, peak: 1.2e-2", or of several seeds "range test, peak, 3 seeds: 1.2e-2 (8e-3 to 1.5e-2)". */
function foundText(
  { suggestion, verdict, seeds, reading }: RangeTestRecord,
  usable: RangeTestSuggestion,
  use: "peak" | "constant",
): string {
  const { rate, rule, low, high } = usable[use];
  const read = seeds.filter(({ status }) => status === "read").length;
  const words = [
    `${suggestion ? "" : "forced: "}range test${rule === DEFAULT_RULES[reading] ? "" : ` by ${rule}`}`,
    ...(reading === "published" ? [] : [use]),
    ...(seeds.length === 1 ? [] : [`${reading === "published" ? "median of " : ""}${read} seeds`]),
    ...(suggestion ? [] : [`which cannot say (${verdict.kind})`]),
  ];
  const spread = seeds.length === 1 ? "" : ` (${formatRate(low)} to ${formatRate(high)})`;
  return `${words.join(", ")}: ${formatRate(rate)}${spread}`;
}

/** Of a cyclical arm: given, what the rule says (the elbow has a bound of its own), or a sixth of the upper bound. */
function lowerBound(arm: ArmRecord, max: number, { request, found }: ScheduleContext): number {
  const peak = found && usableOf(found, request.force).peak;
  const elbow = peak?.rule === "elbow" ? peak.baseLr : undefined;
  const own = arm.scheduleSettings?.base;
  const given = own === undefined ? (request.baseLr ?? elbow) : Number(own);
  const base = given === undefined ? max / 6 : given * factorOf(arm);
  if (base >= max)
    throw new ArgumentError(
      `compare: baseLr must be below the ${found ? "range test's " : ""}upper bound ${max} of ${arm.name}; got ${base}. Leave --base-lr out, or give --max-lr`,
    );
  return base;
}
