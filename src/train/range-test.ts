/**
 * @file The learning-rate range test: raise the rate from update to update, watch the loss.
 * Source: L. N. Smith, "Cyclical Learning Rates for Training Neural Networks", arXiv 1506.01186,
 * section 3.3; exponential ramp and smoothing as the 2019 publication has them.
 */

import {
  ALL_RATES,
  checkRuleName,
  checkSmoothing,
  type Ends,
  endsAbout,
  suggest,
} from "../analysis/index.ts";
import { present } from "../core/at.ts";
import { checkNonNegativeInteger, checkPositiveInteger } from "../core/checks.ts";
import { ArgumentError } from "../core/errors.ts";
import { type RangeTestRecord, type RangeTestSearch, STUDY_DEFAULTS } from "../record/index.ts";
import { type Emitter, emitter } from "./emit.ts";
import type { RangeTestOptions, TrainingSetup } from "./options.ts";
import { planRamp, ramp } from "./ramp.ts";
import { runRamp } from "./range-test-run.ts";

export { ramp } from "./ramp.ts";

/** What was measured, and between which ends. */
export interface MeasuredRamps {
  readonly runs: RangeTestRecord["runs"];
  readonly ends: Ends;
  /** Of each seed's ramp. */
  readonly updates: number;
  /** Where the length was said in epochs. */
  readonly epochs?: number | undefined;
  readonly search?: RangeTestSearch | undefined;
  readonly seconds: number;
}

/**
 * Runs the range test once a seed, each from fresh weights, and reads every rule off the curves: a rate to
 * train with throughout, and one for the peak of a schedule. A network, data set or random stream used
 * afterwards is as if the test had not been made.
 *
 * Without `from` and `to` a quick ramp over all rates finds where the loss is least and where it diverges, and
 * the ramps of the seeds go about that. A ramp that is given `to` runs there unless the loss is not finite, or
 * `stopFactor` is given.
 *
 * The training loss is that of each update's own batch, before the update; with `loss: "validation"`
 * it is that of a fixed part of the validation split, after it. Either way what is trained is the same.
 * @returns a record whose `suggestion` is null where the test cannot say: `verdict` has why, and what would
 * @throws ArgumentError before the first update where the options do not fit together
 * @throws InterruptedError where `signal` aborts
 */
export async function rangeTest(options: RangeTestOptions): Promise<RangeTestRecord> {
  const { arm = options.optimizer.name } = options;
  const emitting = emitter(options.onEvent);
  const record = rangeTestRecordOf(options, await measure(options, emitting));
  await emitting.emitAndWait({ type: "range-test-finished", arm, record });
  return record;
}

/** The curves alone, each an event "range-test-run": for one of several processes that share the seeds. */
export async function measureRangeTest(options: RangeTestOptions): Promise<void> {
  await measure(options, emitter(options.onEvent));
}

/** The quick ramp alone, an event "range-test-search": what the seeds' ramps are then given. */
export async function searchRamp(options: RangeTestOptions): Promise<void> {
  checkRangeTest(options);
  await search(options, emitter(options.onEvent));
}

async function measure(options: RangeTestOptions, emitting: Emitter): Promise<MeasuredRamps> {
  const { arm = options.optimizer.name, seeds = [0] } = options;
  checkRangeTest(options);
  const started = performance.now();
  const { updates, epochs, untilDiverged, ends: asked } = planRamp(options);
  const found = asked ? undefined : await search(options, emitting);
  const { from, to } = asked ?? present(found, "search");
  const ends = { from, to };
  const runs: RangeTestRecord["runs"] = [];
  for (const seed of seeds) {
    const begun = performance.now();
    const run = {
      seed,
      points: await runRamp(options, { seed, updates, untilDiverged, ...ends }, emitting.emit),
    };
    runs.push(run);
    const seconds = (performance.now() - begun) / 1000;
    await emitting.emitAndWait({ type: "range-test-run", arm, run, seconds });
  }
  const seconds = (performance.now() - started) / 1000;
  return { runs, ends, updates, epochs, search: found, seconds };
}

/** With the first of the seeds. */
async function search(
  options: RangeTestOptions,
  { emit, emitAndWait }: Emitter,
): Promise<RangeTestSearch> {
  const { arm = options.optimizer.name, seeds = [0] } = options;
  const [seed] = seeds as readonly [number];
  const started = performance.now();
  const plan = planRamp(options);
  const updates = plan.search;
  const quick = { seed, ...ALL_RATES, updates, untilDiverged: true, search: plan.updates };
  const run = { seed, points: await runRamp(options, quick, emit) };
  const found = { ...endsAbout(run), updates, run };
  const seconds = (performance.now() - started) / 1000;
  await emitAndWait({ type: "range-test-search", arm, search: found, seconds });
  return found;
}

/** The record of a range test whose curves are known. */
export function rangeTestRecordOf(
  options: Omit<RangeTestOptions, keyof TrainingSetup>,
  { runs, ends, updates, epochs, search, seconds }: MeasuredRamps,
): RangeTestRecord {
  const { optimizer, arm = optimizer.name, reading = STUDY_DEFAULTS.reading } = options;
  const smoothing = options.smoothing ?? (reading === "published" ? "published" : "proportional");
  return {
    formatVersion: 2,
    arm,
    optimizer: optimizer.name,
    ...ends,
    updates,
    ...(epochs === undefined ? {} : { epochs }),
    ramp: options.ramp ?? STUDY_DEFAULTS.ramp,
    loss: options.loss ?? "train",
    smoothing,
    reading,
    ...(search ? { search } : {}),
    runs,
    ...suggest(runs, {
      ...(options.rule === undefined ? {} : { rule: options.rule }),
      ...{ reading, ...ends },
      updates: updates + (search?.updates ?? 0),
    }),
    seconds,
  };
}

/** @throws ArgumentError where the options do not fit together, or the ramp has fewer than two updates */
export function checkRangeTest(options: RangeTestOptions): void {
  const { epochs, updates, seeds = [0], stopFactor } = options;
  const { loss = "train" } = options;
  const subject = "range test";
  if (epochs !== undefined) checkPositiveInteger(subject, "epochs", epochs);
  if (updates !== undefined) checkPositiveInteger(subject, "updates", updates);
  if (seeds.length === 0) throw new ArgumentError("range test: at least one seed must be given");
  for (const seed of seeds) checkNonNegativeInteger(subject, "seed", seed);
  if (stopFactor !== undefined && !(stopFactor > 1))
    throw new ArgumentError(`range test: stop factor must be above 1; got ${stopFactor}`);
  if (options.rule !== undefined) checkRuleName(options.rule);
  if (options.smoothing !== undefined) checkSmoothing(options.smoothing);
  for (const name of ["validationImages", "validationEvery"] as const) {
    const value = options[name];
    if (value === undefined) continue;
    checkPositiveInteger(subject, name, value);
    if (loss !== "validation")
      throw new ArgumentError(
        `range test: ${name} has no effect on the training loss; add loss: "validation"`,
      );
  }
  const plan = planRamp(options);
  ramp({ ...(plan.ends ?? ALL_RATES), updates: plan.updates });
}
