/** @file What each update of a run uses: its learning rate, and the hyperparameters that follow a schedule. */

import { ArgumentError } from "../core/errors.ts";
import { type Optimizer, optimizerScalars } from "../optimizers/index.ts";
import type { EpochMetrics, ScheduleSpec } from "../record/index.ts";
import {
  constant,
  greatestRate,
  momentumBeside,
  type PlateauState,
  type ReduceOnPlateau,
  type Schedule,
  warnPastEnd,
} from "../schedules/index.ts";

export interface EpochRates {
  learningRate(update: number): number;
  hyperparameters(update: number): Readonly<Record<string, number>>;
}

export interface Rates {
  /** For the records. */
  readonly schedule: ScheduleSpec;
  readonly hyperparameterSchedules: Readonly<Record<string, ScheduleSpec>>;
  /** Of the next epoch, after those that are done. */
  after(done: readonly EpochMetrics[]): EpochRates;
  /** State of a reduction on plateaus; null where the rate follows the update count alone. */
  plateauAfter(done: readonly EpochMetrics[]): PlateauState | null;
}

export interface RatesOptions {
  readonly optimizer: Optimizer;
  readonly schedule?: Schedule | ReduceOnPlateau;
  readonly hyperparameterSchedules?: Readonly<Record<string, Schedule>>;
  /** Updates of the run. */
  readonly updates: number;
  /** Told once, where the run goes on past the end of a schedule. */
  warn(message: string): void;
}

/** Decay rates of exponential means: 1 would forget nothing, ever. */
const BELOW_ONE = /^(momentum|beta\d?|rho|alpha|dampening|psi)$/;

/**
 * Without `hyperparameterSchedules`, momentum (where it is above 0) or beta1 is cycled inversely beside
 * cyclical schedules and one-cycle, as torch does: `momentumBeside`. `{}` leaves it constant.
 * @throws ArgumentError for a hyperparameter that the optimizer does not have or that shapes its
 *   update, or a schedule that leaves its domain
 */
export function ratesOf(options: RatesOptions): Rates {
  const { optimizer, updates } = options;
  const given = options.schedule ?? constant(optimizer.hyperparameters.learningRate);
  const plateau = "initial" in given ? given : null;
  const schedule = "initial" in given ? null : warnPastEnd(given, options.warn);
  const others = options.hyperparameterSchedules ?? inverseOf(schedule, optimizer);
  const hyperparameters = (update: number) =>
    Object.fromEntries(Object.entries(others).map(([name, other]) => [name, other(update)]));
  for (const [name, other] of Object.entries(others)) {
    const greatest = greatestRate(other, updates);
    if (BELOW_ONE.test(name) && greatest >= 1)
      throw new ArgumentError(
        `${optimizer.name}: ${name} must stay below 1; its schedule comes to ${greatest}`,
      );
  }
  // Twice, as a value that is the optimizer's own is never refused. At the first count, as some optimizers
  // compute a product over all counts before.
  for (const update of [0, Math.floor(updates / 2)])
    optimizerScalars(optimizer, {
      learningRate: 0,
      t: 1,
      hyperparameters: hyperparameters(update),
    });
  const plateauAfter = (done: readonly EpochMetrics[]) => plateau && replay(plateau, done);
  return {
    schedule: given.toJSON() as ScheduleSpec,
    hyperparameterSchedules: Object.fromEntries(
      Object.entries(others).map(([name, other]) => [name, other.toJSON()]),
    ),
    plateauAfter,
    after(done) {
      const rate = plateauAfter(done)?.rate;
      return {
        // One of the two is there.
        learningRate: (update) => rate ?? schedule?.(update) ?? Number.NaN,
        hyperparameters,
      };
    },
  };
}

/** Its validation loss, or accuracy where more is better, one an epoch that was validated. */
function replay(plateau: ReduceOnPlateau, done: readonly EpochMetrics[]): PlateauState {
  const { mode } = plateau.toJSON();
  let state = plateau.initial;
  const validated = done.filter(
    ({ validationAccuracy, diverged }) => validationAccuracy !== null || diverged,
  );
  for (const { validationLoss, validationAccuracy } of validated)
    [state] = plateau.step(
      state,
      (mode === "max" ? validationAccuracy : validationLoss) ?? Number.NaN,
    );
  return state;
}

function inverseOf(
  schedule: Schedule | null,
  { hyperparameters }: Optimizer,
): Readonly<Record<string, Schedule>> {
  const name = ["momentum", "beta1"].find((known) => (hyperparameters[known] ?? 0) > 0);
  if (schedule === null || name === undefined) return {};
  const beside = momentumBeside(schedule);
  return beside ? { [name]: beside } : {};
}
