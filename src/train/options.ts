/** @file What the lab's three experiments have in common, and what each adds. */

import type { Smoothing } from "../analysis/index.ts";
import type { OwnArm } from "../arms/own-arms.ts";
import type { Dataset } from "../data/types.ts";
import type { ConvolutionChoices } from "../engine/tuning/convolution-choice.ts";
import type { Network } from "../ir/index.ts";
import type { Optimizer } from "../optimizers/index.ts";
import type { Backend } from "../program/index.ts";
import type {
  Ends,
  EpochMetrics,
  Planned,
  RangeTestRuleName,
  Recipe,
  StudyListener,
} from "../record/index.ts";
import type { ReduceOnPlateau, Schedule } from "../schedules/index.ts";
import type { Features } from "./freezing/frozen-features.ts";
import type { PretrainedWeights } from "./freezing/pretrained-weights.ts";
import type { TrialState } from "./trial-state.ts";
import type { WeightsSink } from "./weights-sink.ts";

/** A network, the data that it learns, the engine that runs it, and how it is trained. */
export interface TrainingSetup extends Partial<Recipe> {
  readonly dataset: Dataset;
  readonly network: Network;
  readonly backend: Backend;
  /** Cores of the step; default those that the backend plans for. */
  readonly threads?: number;
  /** Weights to begin from, see openPretrained; default: drawn by the seed. */
  readonly pretrained?: PretrainedWeights;
  /** Implementations of single convolutions; default: the backend's rule for all. */
  readonly convolutions?: ConvolutionChoices;
  /** Who decided them, for plan.json; default "given". */
  readonly convolutionsDecidedBy?: "tuned" | "memory" | "given";
  /** Where `dataset` holds features of images, and `network` is what takes them: see cacheFeatures. */
  readonly features?: Features;
  readonly onEvent?: StudyListener;
  /** Takes weights and checkpoints of trials; default: nobody does. */
  readonly sink?: WeightsSink;
  /** Ends the work after the update under way, with an InterruptedError. */
  readonly signal?: AbortSignal;
}

/** One training run: an optimizer on a schedule, for some epochs. */
export interface FitOptions extends TrainingSetup, Ends {
  readonly optimizer: Optimizer;
  /**
   * Learning rate of each update; default the optimizer's own rate, constant. `reduceOnPlateau` is told
   * the validation loss after each epoch, or the accuracy where its mode is "max".
   */
  readonly schedule?: Schedule | ReduceOnPlateau;
  /**
   * Hyperparameters that follow a schedule, by name. Default: beside cyclical schedules and one-cycle,
   * momentum (where above 0) or beta1 falls as the rate rises; `{}` for none.
   */
  readonly hyperparameterSchedules?: Readonly<Record<string, Schedule>>;
  readonly epochs: number;
  /** Epoch after which it pauses, with status "paused" and a checkpoint for the sink; default: it goes on to its end. */
  readonly until?: number;
  /** Initial weights, order, augmentation and dropout; default 0. */
  readonly seed?: number;
  /** Name in the records; default the optimizer's. */
  readonly arm?: string;
  /** Safe as a file name; default made from `arm`. */
  readonly slug?: string;
  /** Where the rate came from, for people. */
  readonly learningRateSource?: string;
  /** Place among the trials of an experiment, for progress; default 0 of 1. */
  readonly index?: number;
  readonly trials?: number;
  /** Where an earlier run of the same trial stopped; default: from the beginning. */
  readonly from?: TrialState;
  /** With `prune`: the finished epochs of the other trials of the seed, as they are now. */
  readonly others?: () => readonly (readonly EpochMetrics[])[];
}

/** A range test: the rate rises from `from` to `to` over so many updates. */
export interface RangeTestOptions extends TrainingSetup {
  readonly optimizer: Optimizer;
  /** Rate of the first update; default found by a quick ramp, or 1e-7 where `to` is given. */
  readonly from?: number;
  /** Rate of the last update; default where the loss diverges, or 10. */
  readonly to?: number;
  /** Default "exponential". */
  readonly ramp?: "exponential" | "linear";
  /** Of each seed, through the data as often as that takes; a fifth of them finds ends that are not given. Default 200. */
  readonly updates?: number;
  /** The same in epochs, where `updates` is not given. */
  readonly epochs?: number;
  /**
   * "averaged" (the default), or "published": a ramp from 1e-7 to 0.1 over two epochs unless that is said, smoothed
   * and read as published, see `suggest`.
   */
  readonly reading?: "averaged" | "published";
  /** Whether the ramp ends where the loss has come to twice that of its beginning; default: where `to` is not given. */
  readonly untilDiverged?: boolean;
  /** Default [0]. */
  readonly seeds?: readonly number[];
  /** Stop once the smoothed loss exceeds this many times its least; default: run to the end. */
  readonly stopFactor?: number;
  /** How the loss is smoothed; default "proportional", or "published" with that reading. */
  readonly smoothing?: Smoothing;
  /** Whose reading is suggested; the others stand beside it. Default "minimum/10". */
  readonly rule?: RangeTestRuleName;
  /** Loss of each batch as it is trained on (the default), or of validation images after it. */
  readonly loss?: "train" | "validation";
  /** Of a validation loss: so many images, evenly spaced over the split; default 256. */
  readonly validationImages?: number;
  /** Of a validation loss: measured after every so many updates, and the last; default 1. */
  readonly validationEvery?: number;
  readonly arm?: string;
}

/** A comparison: arms x seeds on what a setup trains; what a study is asked for, in part. */
export interface CompareOptions extends TrainingSetup, Planned {
  /** Arms by objects, after those of `optimizers`; without either, the default arms. */
  readonly arms?: readonly (string | OwnArm)[];
}
