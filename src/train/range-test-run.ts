/** @file One seed of a range test: an update a rate, the loss of each, until the ramp or the loss ends it. */

import { beginning, GREATEST_LOSS, proportionalWeight, smoothing } from "../analysis/index.ts";
import { at } from "../core/at.ts";
import { InterruptedError } from "../core/errors.ts";
import type { RangeTestPoint } from "../record/index.ts";
import { type Emitter, finite, perSecond } from "./emit.ts";
import type { RangeTestOptions } from "./options.ts";
import { describePlan } from "./plan.ts";
import { ramp } from "./ramp.ts";
import { openTrainer, type Trainer } from "./trainer.ts";

/** Images that a validation loss is taken over, at each point of the curve. */
const VALIDATION_IMAGES = 256;

export interface RampRun {
  readonly seed: number;
  readonly from: number;
  readonly to: number;
  readonly updates: number;
  readonly untilDiverged: boolean;
  /** Of the quick ramp that finds the ends of the others: the updates of each of those. */
  readonly search?: number;
}

type OnUpdate = Parameters<Trainer["trainEpoch"]>[0]["onUpdate"];

/** The points of the ramp, from fresh weights, through the data as often as it takes. */
export async function runRamp(
  options: RangeTestOptions,
  run: RampRun,
  emit: Emitter["emit"],
): Promise<RangeTestPoint[]> {
  const { dataset, optimizer, stopFactor, signal } = options;
  const { seed, updates, search } = run;
  const { arm = optimizer.name, validationEvery = 1 } = options;
  const validation =
    options.loss === "validation"
      ? evenlySpaced(dataset.validation, options.validationImages ?? VALIDATION_IMAGES)
      : null;
  const learningRate = ramp({
    ...run,
    kind: search ? "exponential" : (options.ramp ?? "exponential"),
  });
  const trainer = await openTrainer(options, optimizer, seed);
  try {
    const points: RangeTestPoint[] = [];
    const smooth = smootherOf(options, learningRate, updates);
    emit({ type: "plan", arm, seed, plan: describePlan(options, trainer.compiled) });
    const part = search === undefined ? {} : { search };
    emit({ type: "range-test-started", arm, seed, updates, ...part });
    let least = Number.POSITIVE_INFINITY;
    let begun = 0;
    let examples = 0;
    let measured: { loss: number | null; smoothedLoss: number | null } = {
      loss: null,
      smoothedLoss: null,
    };
    const runStarted = performance.now();
    /** Whether the loss has gone where training is lost. */
    const isDiverged = (smoothedLoss: number) =>
      (run.untilDiverged &&
        points.length > beginning(updates) &&
        smoothedLoss > GREATEST_LOSS * begun) ||
      (stopFactor !== undefined && smoothedLoss > stopFactor * least);

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
        const first = beginning(updates);
        if (measurable && points.length <= first) begun += loss / first;
        goOn &&= measurable && !isDiverged(smoothedLoss);
        measured = { loss: finite(loss), smoothedLoss: finite(smoothedLoss) };
      }
      emit({
        type: "range-test-update",
        ...{ arm, seed, update: update + 1, updates, lr, ...measured, ...part },
        imagesPerSecond: perSecond(examples, runStarted),
        secondsLeft: (updates - update - 1) / perSecond(update + 1, runStarted),
      });
      if (signal?.aborted) throw new InterruptedError();
      return goOn && update < updates - 1;
    };

    let goOn = true;
    for (let epoch = 1; goOn; epoch++)
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

/** As the options say; in proportion, to the points that the ramp will have. */
function smootherOf(
  { smoothing: asked, reading = "averaged", validationEvery = 1, loss }: RangeTestOptions,
  learningRate: (update: number) => number,
  updates: number,
): (loss: number) => number {
  const kind = asked ?? (reading === "published" ? "published" : "proportional");
  if (kind !== "proportional") return smoothing({ kind });
  const every = loss === "validation" ? validationEvery : 1;
  const weight = proportionalWeight({
    first: learningRate(Math.min(updates, every) - 1),
    last: learningRate(updates - 1),
    points: Math.ceil(updates / every),
  });
  return smoothing({ kind, weight });
}

/** `count` of the images, or all, at equal distances: of a folder, each class in its proportion. */
function evenlySpaced(images: Int32Array, count: number): Int32Array {
  if (count >= images.length) return images;
  return Int32Array.from({ length: count }, (_, i) =>
    at(images, Math.floor(((i + 0.5) * images.length) / count), "images"),
  );
}
