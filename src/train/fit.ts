/** @file One training run: epochs of updates on a schedule, validation after each, best weights kept, and tested in the end. */

import { median } from "../analysis/index.ts";
import { armSlug } from "../arms/arms.ts";
import { checkEnds } from "../arms/check-ends.ts";
import { compileNetwork } from "../compile/index.ts";
import { checkNonNegativeInteger, checkPositiveInteger } from "../core/checks.ts";
import { InternalError, InterruptedError, LrscopeError } from "../core/errors.ts";
import { type Checkpoint, type CheckpointInParts, inParts } from "../formats/index.ts";
import type { CheckpointRecord, EpochMetrics, TrialRecord } from "../record/index.ts";
import { type BesideTheWeights, besideTheWeights } from "./averages/beside-the-weights.ts";
import { endOf, isEvaluated } from "./budget.ts";
import { makeCheckpoint, makeCheckpointInParts } from "./checkpoint.ts";
import { compileOptions, planEpoch } from "./compile-options.ts";
import { type Emitter, emitter, finite, perSecond } from "./emit.ts";
import { answersOf, scoreTest } from "./final-scores.ts";
import { checkUnfreezing, trainFromIn, unfreezesAt } from "./freezing/unfreeze.ts";
import type { FitOptions } from "./options.ts";
import { describePlan } from "./plan.ts";
import { type Rates, ratesOf } from "./rates.ts";
import { updatesOfRun } from "./run-length.ts";
import { balancedAccuracy, perClassAccuracy } from "./scores.ts";
import { type Evaluation, openTrainer, type Trainer, type UpdateResult } from "./trainer.ts";
import { bestEpoch } from "./trial-state.ts";
import type { KeptWeights } from "./weights-sink.ts";

/** What a training run leaves. */
export interface FitResult {
  readonly trial: TrialRecord;
  readonly metrics: readonly EpochMetrics[];
  /** Weights and optimizer state after the last epoch; null where the trial diverged, or is paused. */
  readonly last: Checkpoint | null;
}

/**
 * Trains a network. Equal seed, threads and machine give equal bits.
 *
 * A loss that stops being finite ends the trial with status "diverged", and is no error.
 * @throws ArgumentError, ShapeError before the first update where the options do not fit together
 * @throws InterruptedError where `signal` aborts; what was emitted before remains valid
 */
export async function fit(options: FitOptions): Promise<FitResult> {
  return train(options, true);
}

/** The same for whoever has a sink for the weights: they are not held in memory once more, and `last` is null. */
export async function fitForSink(options: FitOptions): Promise<FitResult> {
  return train(options, false);
}

async function train(options: FitOptions, keepsLast: boolean): Promise<FitResult> {
  const { optimizer, epochs, until, seed = 0 } = options;
  checkPositiveInteger("fit", "epochs", epochs);
  if (until !== undefined) checkPositiveInteger("fit", "until", until);
  checkNonNegativeInteger("fit", "seed", seed);
  checkEnds("fit", options);
  const arm = options.arm ?? optimizer.name;
  const { sink = {} } = options;
  const { emit, emitAndWait } = emitter(options.onEvent);
  const rates = ratesOf({
    ...options,
    updates: updatesOfRun("fit", epochs, planEpoch(options).updatesPerEpoch),
    warn: (message) => emit({ type: "warning", arm, seed, message }),
  });
  checkUnfreezing(options, epochs);
  const { from } = options;
  const open = (epoch: number) => openTrainer(options, optimizer, seed, epoch);
  // As it was when the checkpoint was written: what the next epoch unfreezes comes with it.
  let trainer = await open(Math.max(1, from?.metrics.length ?? 0));
  const beside = besideTheWeights(options, () => trainer);
  /** Opens what an epoch trains that the one before it did not; all else is as it was. */
  const unfreeze = async (epoch: number) => {
    const kept = await trainer.read({ state: true });
    trainer.dispose();
    trainer = await open(epoch);
    const tensors = new Map(
      kept.map(({ name, shape, data }) => [name, { shape: [...shape], data }]),
    );
    await trainer.write({ tensors }, { begun: true });
  };
  const trial: TrialRecord = {
    formatVersion: 1,
    arm,
    slug: options.slug ?? armSlug(arm),
    seed,
    optimizer: {
      name: optimizer.name,
      hyperparameters: { ...optimizer.hyperparameters },
      ...(optimizer.dialect && optimizer.dialect !== "torch" ? { dialect: optimizer.dialect } : {}),
    },
    schedule: rates.schedule,
    ...(Object.keys(rates.hyperparameterSchedules).length > 0
      ? { hyperparameterSchedules: { ...rates.hyperparameterSchedules } }
      : {}),
    learningRateSource:
      options.learningRateSource ??
      (options.schedule ? "schedule" : `default of ${optimizer.name}`),
    updatesPerEpoch: trainer.updatesPerEpoch,
    epochs,
    status: "running",
    divergence: null,
    failure: null,
    msPerStep: null,
    seconds: null,
    ...(options.average ? { average: options.average } : {}),
    ...(options.snapshots ? { snapshots: true } : {}),
  };
  const { index = 0, trials = 1 } = options;
  const tested = options.dataset.test.length > 0;
  /** The best weights, where they are to be scored on the test part in the end. */
  let best: Checkpoint | null = (tested && from?.best) || null;
  const metrics: EpochMetrics[] = [...(from?.metrics ?? [])];
  const stepTimes: number[] = [];
  const started = performance.now();
  /** Milliseconds of what is not training. */
  let untimed = 0;
  const seconds = () => (from?.seconds ?? 0) + (performance.now() - started - untimed) / 1000;
  const msPerStep = () => (stepTimes.length > 0 ? median(stepTimes) : (from?.msPerStep ?? null));
  const standing = (which: "best" | "last", epoch: number) => ({
    ...{ setup: options, trial, epoch },
    plateau: rates.plateauAfter(metrics.slice(0, epoch)),
    evaluationWeights: which === "last" ? optimizer.evaluationWeights : null,
  });
  // The best serve prediction; the last go on from where they are, so they hold optimizer state too.
  const checkpoint = async (which: "best" | "last", epoch: number): Promise<Checkpoint> => {
    const tensors = await trainer.read({ state: which === "last" });
    if (which === "last") tensors.push(...beside.read());
    return makeCheckpoint({ ...standing(which, epoch), tensors });
  };
  const checkpointInParts = (which: "best" | "last", epoch: number): CheckpointInParts =>
    makeCheckpointInParts({
      ...standing(which, epoch),
      tensors: trainer.inParts({ state: which === "last" }),
      inMemory: which === "last" ? beside.read() : [],
    });
  const keep = async (
    which: KeptWeights["which"],
    epoch: number,
    weights: { whole(): Checkpoint | Promise<Checkpoint>; parts(): CheckpointInParts },
  ) => {
    const kept = { which, trial, epoch };
    if (sink.weightsInParts) await sink.weightsInParts({ ...kept, weights: weights.parts() });
    else await sink.weights?.({ ...kept, weights: await weights.whole() });
    await emitAndWait({ type: "weights", arm, seed, which, epoch });
  };
  const keepHeld = (which: KeptWeights["which"], epoch: number, held: Checkpoint) =>
    keep(which, epoch, { whole: () => held, parts: () => inParts(held) });
  const keepBest = async (epoch: number) => {
    if (tested) {
      best = await checkpoint("best", epoch);
      return keepHeld("best", epoch, best);
    }
    return keep("best", epoch, {
      whole: () => checkpoint("best", epoch),
      parts: () => checkpointInParts("best", epoch),
    });
  };
  const keepCheckpoint = async (epoch: number) => {
    const record: CheckpointRecord = {
      ...{ formatVersion: 1, epoch, update: epoch * trainer.updatesPerEpoch },
      ...{ metrics: [...metrics], msPerStep: msPerStep(), seconds: seconds() },
    };
    const kept = { trial, record };
    if (sink.checkpointInParts)
      await sink.checkpointInParts({ ...kept, weights: checkpointInParts("last", epoch) });
    else await sink.checkpoint?.({ ...kept, weights: await checkpoint("last", epoch) });
    await emitAndWait({ type: "checkpoint", arm, seed, epoch });
  };
  const finish = (status: TrialRecord["status"]): Promise<void> => {
    trial.status = status;
    trial.msPerStep = msPerStep();
    trial.seconds = seconds();
    return emitAndWait({ type: "trial-finished", trial: { ...trial } });
  };

  try {
    // The plan is that of the first epoch, wherever the trial goes on.
    const planned =
      trainFromIn(options, from?.metrics.length ?? 1) === options.trainFrom
        ? trainer.compiled
        : compileNetwork(compileOptions(options, optimizer));
    emit({ type: "plan", arm, seed, plan: describePlan(options, planned) });
    emit({ type: "trial-started", trial: { ...trial }, metrics: [...metrics], index, trials });
    if (from) {
      await trainer.write(from.checkpoint);
      beside.write(from.checkpoint);
      const { length } = metrics;
      if (bestEpoch(metrics) === length && from.bestKept !== length) await keepBest(length);
    }
    const { prune = Number.POSITIVE_INFINITY, others } = options;
    const end = () => endOf(options, metrics, metrics.length >= prune ? others?.() : []);
    let ended = end();
    /** Of the last epoch, where this process made it. */
    let evaluation: Evaluation | null = null;
    const pauses = () => until !== undefined && metrics.length >= until;
    while (ended === null && !pauses()) {
      const epoch = metrics.length + 1;
      if (unfreezesAt(options, epoch)) await unfreeze(epoch);
      const { line, ...made } = await runEpoch({
        ...options,
        emit,
        trainer,
        trial,
        done: metrics,
        rates: rates.after(metrics),
        stepTimes,
        beside,
      });
      evaluation = made.evaluation;
      metrics.push(line);
      emit({ type: "epoch", arm, seed, metrics: line });
      if (line.diverged) break;
      if (bestEpoch(metrics) === epoch) await keepBest(epoch);
      await keepCheckpoint(epoch);
      ended = end();
    }
    if (ended === null && trial.divergence === null) {
      await finish("paused");
      return { trial, metrics, last: null };
    }
    if (ended !== null && ended !== "epochs") trial.endedBy = ended;
    const epoch = metrics.length;
    const last = trial.divergence || !keepsLast ? null : await checkpoint("last", epoch);
    if (last) await keepHeld("last", epoch, last);
    else if (!trial.divergence)
      await keep("last", epoch, {
        whole: () => checkpoint("last", epoch),
        parts: () => checkpointInParts("last", epoch),
      });
    if (!trial.divergence && beside.isAveraged(epoch)) {
      const tensors = await trainer.readAverage();
      const held = makeCheckpoint({ setup: options, trial, tensors, epoch });
      await keepHeld("averaged", epoch, held);
    }
    if (!trial.divergence) {
      const trained = performance.now();
      if (ended !== "pruned") {
        const answers = await answersOf({ trainer, dataset: options.dataset, metrics, evaluation });
        if (answers) trial.rightAnswers = answers;
      }
      trial.optimizerShare = await trainer.optimizerShare();
      const epoch = bestEpoch(metrics);
      if (best && epoch !== null) {
        await trainer.writeEvaluated(best);
        trial.test = await scoreTest(trainer, options.dataset, epoch);
      }
      untimed = performance.now() - trained;
    }
    await finish(trial.divergence ? "diverged" : ended === "pruned" ? "pruned" : "done");
    return { trial, metrics, last };
  } catch (error) {
    if (!(error instanceof InterruptedError) && error instanceof Error)
      trial.failure = error instanceof LrscopeError ? error.message : `internal: ${error.message}`;
    // What ended the trial matters more than that nobody could be told of its end.
    await finish(error instanceof InterruptedError ? "interrupted" : "failed").catch(
      () => undefined,
    );
    throw error;
  } finally {
    trainer.dispose();
  }
}

interface EpochOptions extends FitOptions {
  readonly emit: Emitter["emit"];
  readonly trainer: Trainer;
  readonly trial: TrialRecord;
  /** Finished epochs. */
  readonly done: readonly EpochMetrics[];
  readonly rates: ReturnType<Rates["after"]>;
  readonly stepTimes: number[];
  readonly beside: BesideTheWeights;
}

/** Trains one epoch, then validates where that is due; marks the trial where the loss stops being finite. */
async function runEpoch(
  options: EpochOptions,
): Promise<{ line: EpochMetrics; evaluation: Evaluation | null }> {
  const { emit, trainer, trial, done, dataset, signal } = options;
  const { arm, seed } = trial;
  const epoch = done.length + 1;
  const updates = options.epochs * trainer.updatesPerEpoch;
  const started = performance.now();
  let lossSum = 0;
  let correct = 0;
  let examples = 0;
  let last: UpdateResult | undefined;
  await trainer.trainEpoch({
    epoch,
    ...options.rates,
    averageWeight: options.beside.averageWeight,
    onUpdate(result) {
      last = result;
      lossSum += result.loss * result.examples;
      correct += result.correct;
      examples += result.examples;
      options.stepTimes.push(result.milliseconds);
      emit({
        type: "update",
        arm,
        seed,
        epoch,
        update: result.update + 1,
        updates,
        lr: result.learningRate,
        loss: finite(result.loss),
        imagesPerSecond: perSecond(examples, started),
      });
      if (signal?.aborted) throw new InterruptedError();
      return Number.isFinite(result.loss);
    },
  });
  if (!last) throw new InternalError("an epoch has one update at least");
  const { update, learningRate, loss } = last as UpdateResult;
  const trained = (performance.now() - started) / 1000;
  const due = Number.isFinite(loss) && isEvaluated(options, done, trained);
  const evaluation = due ? await trainer.evaluate(dataset.validation) : null;
  const diverged = !Number.isFinite(evaluation?.loss ?? loss);
  if (diverged) trial.divergence = { update, learningRate, epoch };
  const line: EpochMetrics = {
    epoch,
    update: update + 1,
    lr: learningRate,
    trainLoss: finite(lossSum / examples),
    trainAccuracy: Number.isFinite(loss) ? correct / examples : null,
    validationLoss: evaluation && finite(evaluation.loss),
    validationAccuracy: diverged ? null : (evaluation?.accuracy ?? null),
    ...(diverged || !evaluation ? {} : classesOf(evaluation)),
    ...(diverged ? {} : await options.beside.validate(epoch)),
    seconds: (performance.now() - started) / 1000,
    ...(diverged ? { diverged } : {}),
  };
  return { line, evaluation };
}

function classesOf({ confusion }: Evaluation) {
  const validationPerClass = perClassAccuracy(confusion);
  return { validationBalancedAccuracy: balancedAccuracy(validationPerClass), validationPerClass };
}
