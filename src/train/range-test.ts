/**
 * @file The learning-rate range test: raise the rate from update to update, watch the loss.
 * Source: L. N. Smith, "Cyclical Learning Rates for Training Neural Networks", arXiv 1506.01186,
 * section 3.3; exponential ramp and smoothing as the 2019 publication has them.
 */

import {
  checkRuleName,
  checkSmoothing,
  type RangeTestRuleName,
  type Smoothing,
  type Suggestions,
  smoothing,
  suggest,
} from "../analysis/index.ts";
import { checkNonNegativeInteger, checkPositive, checkPositiveInteger } from "../core/checks.ts";
import { ArgumentError, InterruptedError } from "../core/errors.ts";
import type { RangeTestPoint, RangeTestRecord } from "../record/index.ts";
import { geometric, line } from "../schedules/combine/shape.ts";
import { planEpoch } from "./compile-options.ts";
import { type Emitter, emitter, finite, perSecond } from "./emit.ts";
import type { RangeTestOptions, TrainingSetup } from "./options.ts";

import { describePlan } from "./plan.ts";
import { updatesOfRun } from "./run-length.ts";
import { openTrainer, type Trainer } from "./trainer.ts";

/**
 * Rate of update i of n: `from (to / from)^(i / (n - 1))`, or linear; the last is `to` itself.
 * @throws ArgumentError unless 0 < from < to and n >= 2
 */
export function ramp(options: {
  from: number;
  to: number;
  updates: number;
  kind?: "exponential" | "linear";
}): (update: number) => number {
  const { from, to, updates, kind = "exponential" } = options;
  checkPositive("range test", "from", from);
  checkPositive("range test", "to", to);
  if (from >= to)
    throw new ArgumentError(
      `range test: from must be below to; got from ${from} and to ${to}. Swap them, or raise --to`,
    );
  if (updates < 2)
    throw new ArgumentError(
      `range test: the ramp needs at least 2 updates; got ${updates}. Raise --epochs, or lower --batch or --accumulate`,
    );
  return (update) => {
    if (update >= updates - 1) return to;
    const part = update / (updates - 1);
    return kind === "linear" ? line(from, to, part) : geometric(from, to, part);
  };
}

/** Where it begins and ends unless that is said. */
const RAMP = { from: 1e-7, to: 0.1 } as const;

/** Images that a validation loss is taken over, at each point of the curve. */
const VALIDATION_IMAGES = 256;

/**
 * Runs the range test once a seed, each from fresh weights, and reads every rule off the curves.
 * A network, data set or random stream used afterwards is as if the test had not been made.
 * Runs to the end of the ramp unless the loss is not finite, or `stopFactor` is given.
 *
 * The training loss is that of each update's own batch, before the update; with `loss: "validation"`
 * it is that of a fixed part of the validation split, after it. Either way what is trained is the same.
 * @throws ArgumentError before the first update where the options do not fit together
 * @throws RangeTestError where no seed has a finite loss
 * @throws InterruptedError where `signal` aborts
 */
export async function rangeTest(options: RangeTestOptions): Promise<RangeTestRecord> {
  const { arm = options.optimizer.name } = options;
  const emitting = emitter(options.onEvent);
  const { runs, seconds } = await measure(options, emitting);
  const record = rangeTestRecordOf(options, runs, seconds);
  await emitting.emitAndWait({ type: "range-test-finished", arm, record });
  return record;
}

/** The curves alone, each an event "range-test-run": for one of several processes that share the seeds. */
export async function measureRangeTest(options: RangeTestOptions): Promise<void> {
  await measure(options, emitter(options.onEvent));
}

async function measure(
  options: RangeTestOptions,
  { emit, emitAndWait }: Emitter,
): Promise<{ runs: RangeTestRecord["runs"]; seconds: number }> {
  const { arm = options.optimizer.name, seeds = [0] } = options;
  checkRangeTest(options);
  const started = performance.now();
  const runs: RangeTestRecord["runs"] = [];
  for (const seed of seeds) {
    const begun = performance.now();
    const run = { seed, points: await runSeed(options, seed, emit) };
    runs.push(run);
    const seconds = (performance.now() - begun) / 1000;
    await emitAndWait({ type: "range-test-run", arm, run, seconds });
  }
  return { runs, seconds: (performance.now() - started) / 1000 };
}

/**
 * The record of a range test whose curves are known.
 * @throws RangeTestError where no seed has a finite loss
 */
export function rangeTestRecordOf(
  options: Omit<RangeTestOptions, keyof TrainingSetup>,
  runs: RangeTestRecord["runs"],
  seconds: number,
): RangeTestRecord {
  const { optimizer, from = RAMP.from, to = RAMP.to, epochs = 2, smoothing: kind } = options;
  const { arm = optimizer.name, rule = "minimum/10", ramp: kindOfRamp = "exponential" } = options;
  return {
    formatVersion: 1,
    arm,
    optimizer: optimizer.name,
    from,
    to,
    epochs,
    ramp: kindOfRamp,
    loss: options.loss ?? "train",
    smoothing: kind ?? "published",
    runs,
    ...read(runs, rule, kind),
    seconds,
  };
}

/** @throws ArgumentError where the options do not fit together, or the ramp has fewer than two updates */
export function checkRangeTest(options: RangeTestOptions): void {
  const { epochs = 2, seeds = [0], stopFactor, loss = "train" } = options;
  const { from = RAMP.from, to = RAMP.to } = options;
  const subject = "range test";
  checkPositiveInteger(subject, "epochs", epochs);
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
  ramp({ from, to, updates: epochs * planEpoch(options).updatesPerEpoch });
}

/** By the rule asked for; by the published one, with a warning, where no curve carries it. */
function read(
  runs: RangeTestRecord["runs"],
  rule: RangeTestRuleName,
  kind: Smoothing | undefined,
): Suggestions {
  const found = suggest(runs, "minimum/10", kind ? { smoothing: kind } : {});
  if (rule === "minimum/10") return found;
  if (rule in found.suggestions) return suggest(runs, rule, kind ? { smoothing: kind } : {});
  const warning = `no curve carries the rule "${rule}", so minimum/10 is suggested instead; use more epochs, or another rule`;
  return { ...found, warnings: [...found.warnings, warning] };
}

async function runSeed(
  options: RangeTestOptions,
  seed: number,
  emit: Emitter["emit"],
): Promise<RangeTestPoint[]> {
  const { dataset, optimizer, epochs = 2, stopFactor, signal } = options;
  const { from = RAMP.from, to = RAMP.to } = options;
  const { arm = optimizer.name, validationEvery = 1 } = options;
  const validation =
    options.loss === "validation"
      ? evenlySpaced(dataset.validation, options.validationImages ?? VALIDATION_IMAGES)
      : null;
  const trainer = await openTrainer(options, optimizer, seed);
  try {
    const updates = updatesOfRun("range test", epochs, trainer.updatesPerEpoch);
    const kind = options.ramp ? { kind: options.ramp } : {};
    const learningRate = ramp({ from, to, updates, ...kind });
    const smooth = smoothing(options.smoothing ? { kind: options.smoothing } : {});
    const points: RangeTestPoint[] = [];
    emit({ type: "plan", arm, seed, plan: describePlan(options, trainer.compiled) });
    emit({ type: "range-test-started", arm, seed, updates });
    let least = Number.POSITIVE_INFINITY;
    let examples = 0;
    let measured: { loss: number | null; smoothedLoss: number | null } = {
      loss: null,
      smoothedLoss: null,
    };
    const runStarted = performance.now();

    const onUpdate: OnUpdate = async (result, evaluate) => {
      const { update, learningRate: lr } = result;
      examples += result.examples;
      let goOn = Number.isFinite(result.loss);
      const last = update === updates - 1 || !goOn;
      if (validation === null || last || (update + 1) % validationEvery === 0) {
        const { loss, accuracy } =
          validation && goOn
            ? await evaluate(validation)
            : { loss: result.loss, accuracy: result.correct / result.examples };
        const measurable = Number.isFinite(loss);
        const smoothedLoss = measurable ? smooth(loss) : Number.NaN;
        points.push(
          measurable
            ? { update, lr, loss, smoothedLoss, accuracy }
            : { update, lr, loss: null, smoothedLoss: null, accuracy: null },
        );
        least = Math.min(least, measurable ? smoothedLoss : least);
        goOn &&= measurable && !(stopFactor !== undefined && smoothedLoss > stopFactor * least);
        measured = { loss: finite(loss), smoothedLoss: finite(smoothedLoss) };
      }
      emit({
        type: "range-test-update",
        arm,
        seed,
        update: update + 1,
        updates,
        lr,
        ...measured,
        imagesPerSecond: perSecond(examples, runStarted),
      });
      if (signal?.aborted) throw new InterruptedError();
      return goOn;
    };

    let goOn = true;
    for (let epoch = 1; epoch <= epochs && goOn; epoch++)
      await trainer.trainEpoch({
        epoch,
        learningRate,
        onUpdate: async (...update) => {
          goOn = (await onUpdate(...update)) === true;
          return goOn;
        },
      });
    return points;
  } finally {
    trainer.dispose();
  }
}

type OnUpdate = Parameters<Trainer["trainEpoch"]>[0]["onUpdate"];

/** `count` of the images, or all, at equal distances: of a folder, each class in its proportion. */
function evenlySpaced(images: Int32Array, count: number): Int32Array {
  if (count >= images.length) return images;
  return Int32Array.from(
    { length: count },
    (_, i) => images[Math.floor(((i + 0.5) * images.length) / count)]!,
  );
}
