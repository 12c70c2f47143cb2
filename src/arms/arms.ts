/**
 * @file Arms of a comparison, read from their texts (arm-text.ts) and checked against what there is.
 */

import { ArgumentError } from "../core/errors.ts";
import { MOST_ARMS } from "../core/limits.ts";
import { didYouMean } from "../core/nearest-name.ts";
import { shortName } from "../core/short-name.ts";
import { shortened } from "../core/shown.ts";
import type { ArmRecord } from "../record/index.ts";
import { ARM_SCHEDULES, isArmSchedule, isSpecified } from "./arm-schedules.ts";
import { optimizerSettingsOf } from "./arm-settings.ts";
import { readArmText } from "./arm-text.ts";
import { saysItsRates } from "./own-parts.ts";
import { scheduleSettingsOf } from "./schedule-settings.ts";

export { DEFAULT_ARMS } from "./default-arms.ts";

/**
 * Reads one arm.
 * @throws ArgumentError for an unknown optimizer, schedule or setting of one (naming the nearest), or a rate
 * that is not a positive number
 */
export function parseArm(text: string): ArmRecord {
  const read = readArmText(text);
  const { optimizer, schedule, rate } = read;
  const named = shortened(text);
  const { learningRate: ownRate, ...ofOptimizer } = optimizerSettingsOf(text.trim(), read);
  if (schedule !== null && !isArmSchedule(schedule))
    throw new ArgumentError(
      `arm "${named}": unknown schedule "${shortened(schedule)}"${didYouMean(schedule, ARM_SCHEDULES)} Schedules: ${ARM_SCHEDULES.join(", ")}; warmup- before one that is not cyclical; (SPEC) of lrscope schedule`,
    );
  const { learningRate: scheduleRate, ...ofSchedule } = scheduleSettingsOf(text.trim(), read);
  if (isSpecified(schedule) && rate !== null && !schedule?.startsWith("(plateau"))
    throw new ArgumentError(
      `arm "${named}": a schedule in brackets says its rates itself; leave out @${shortened(rate)}`,
    );
  if (saysItsRates(schedule) && rate !== null)
    throw new ArgumentError(
      `arm "${named}": the schedule of ${shortened(schedule ?? "")} says its rates itself; leave out @${shortened(rate)}, or export a function of { rate }`,
    );
  const rates = [rate === null ? undefined : Number(rate), ownRate, scheduleRate].filter(
    (each) => each !== undefined,
  );
  if (rates.length > 1)
    throw new ArgumentError(
      `arm "${named}": its rate is given ${rates.length} times (${rates.join(", ")}); give it once, as @${rates[0]}`,
    );
  const [learningRate = null] = rates;
  if (learningRate !== null && !(Number.isFinite(learningRate) && learningRate > 0))
    throw new ArgumentError(
      `arm "${named}": the rate after @ must be a positive number; got "${shortened(rate ?? "")}"`,
    );
  return {
    name: text.trim(),
    slug: armSlug(text.trim()),
    optimizer,
    schedule,
    learningRate,
    ...ofOptimizer,
    ...ofSchedule,
  };
}

/**
 * Reads a list of arms.
 * @throws ArgumentError where it is empty, names more than a thousand, or one of them twice
 */
export function parseArms(texts: readonly string[]): ArmRecord[] {
  if (texts.length === 0)
    throw new ArgumentError("arms: at least one optimizer must be named, such as adam");
  if (texts.length > MOST_ARMS)
    throw new ArgumentError(
      `arms: at most ${MOST_ARMS} may be named; got ${texts.length}. Compare fewer at a time`,
    );
  const arms = texts.map(parseArm);
  for (const [i, arm] of arms.entries()) {
    if (arms.findIndex((other) => other.name === arm.name) < i)
      throw new ArgumentError(`arms: "${arm.name}" is named twice; name each arm once`);
    const taken = arms.slice(0, i).filter((other) => other.slug.replace(/~\d+$/, "") === arm.slug);
    if (taken.length > 0) arm.slug = `${arm.slug}~${taken.length + 1}`;
  }
  return arms;
}

/**
 * Characters of a slug: with a seed behind it, it names a folder. As many as lrscope 0.1 could write, so that its
 * runs have the folders that they had.
 */
const MOST_SLUG = 227;

/** "sgd+clr@1e-2" as a file name: "sgd-clr-1e-2"; a longer one than a folder may have is cut, with a hash. */
export const armSlug = (name: string): string =>
  shortName(name.replaceAll(/[+@]/g, "-").replaceAll(/[^A-Za-z0-9._-]/g, "_"), MOST_SLUG);
