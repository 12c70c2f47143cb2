/**
 * @file Arms of a comparison: `NAME[+SCHEDULE][@RATE]`, as in `adam`, `sgd+clr`, `rmsprop@1e-3`,
 * `adam+warmup-cosine@3e-4`, `sgd+(wsd:peak=0.1,steps=1000,down=200)`.
 */

import { ArgumentError } from "../core/errors.ts";
import { MOST_ARMS } from "../core/limits.ts";
import { didYouMean } from "../core/nearest-name.ts";
import { shortened } from "../core/shown.ts";
import { createOptimizer } from "../optimizers/index.ts";
import type { ArmRecord } from "../record/index.ts";
import { ARM_SCHEDULES, isArmSchedule, isSpecified } from "./arm-schedules.ts";

export { DEFAULT_ARMS } from "./default-arms.ts";

/**
 * Reads one arm.
 * @throws ArgumentError for an unknown optimizer or schedule (naming the nearest), or a rate that
 * is not a positive number
 */
export function parseArm(text: string): ArmRecord {
  const match = /^([^+@]+)(?:\+(\(.+\)|[^+@]+))?(?:@(.+))?$/.exec(text.trim());
  if (!match)
    throw new ArgumentError(
      `arm "${shortened(text)}": must be NAME[+SCHEDULE][@RATE], such as adam, sgd+clr or rmsprop@1e-3`,
    );
  const [, optimizer = "", schedule = null, rate] = match;
  const named = shortened(text);
  createOptimizer(optimizer);
  if (schedule !== null && !isArmSchedule(schedule))
    throw new ArgumentError(
      `arm "${named}": unknown schedule "${shortened(schedule)}"${didYouMean(schedule, ARM_SCHEDULES)} Schedules: ${ARM_SCHEDULES.join(", ")}; warmup- before one that is not cyclical; (SPEC) of lrscope schedule`,
    );
  if (isSpecified(schedule) && rate !== undefined && !schedule?.startsWith("(plateau"))
    throw new ArgumentError(
      `arm "${named}": a schedule in brackets says its rates itself; leave out @${shortened(rate)}`,
    );
  const learningRate = rate === undefined ? null : Number(rate);
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

/** "sgd+clr@1e-2" as a file name: "sgd-clr-1e-2". */
export const armSlug = (name: string): string =>
  name.replaceAll(/[+@]/g, "-").replaceAll(/[^A-Za-z0-9._-]/g, "_");
