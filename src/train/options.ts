/** @file What the lab's three experiments have in common, and what each adds. */

import type { RangeTestRuleName, Smoothing } from "../analysis/index.ts";
import type { ParameterGroup, Precision } from "../compile/index.ts";
import type { Dataset } from "../data/types.ts";
import type { ConvolutionChoices } from "../engine/tuning/convolution-choice.ts";
import type { Network } from "../ir/index.ts";
import type { Optimizer } from "../optimizers/index.ts";
import type { Backend } from "../program/index.ts";
import type { EpochMetrics, StudyListener, WeightAverage } from "../record/index.ts";
import type { ReduceOnPlateau, Schedule, ScheduleSpec } from "../schedules/index.ts";
import type { BudgetOptions } from "./budget.ts";
import type { Features } from "./freezing/frozen-features.ts";
import type { PretrainedWeights } from "./freezing/pretrained-weights.ts";
import type { TrialState } from "./trial-state.ts";
import type { WeightsSink } from "./weights-sink.ts";

/** A module from which training begins, from an epoch on; epochs count from 1. */
export interface Unfreezing {
  /** As `trainFrom`: a module that comes earlier in the network, or "all". */
  readonly from: string;
  readonly epoch: number;
}

/** A network, the data that it learns, and the engine that runs it. */
export interface TrainingSetup {
  readonly dataset: Dataset;
  readonly network: Network;
  readonly backend: Backend;
  /** Images of a batch, and of an update unless it accumulates several; default 64. */
  readonly batch?: number;
  /**
   * Batches that an update takes its gradient from, which is the mean over their examples; default 1.
   * Batch normalisation sees each batch by itself.
   */
  readonly accumulate?: number;
  /** Cores of the step; default those that the backend plans for. */
  readonly threads?: number;
  /** Leave the last, smaller batch of an epoch out; default false: it is trained on. */
  readonly dropLast?: boolean;
  /** 0 <= labelSmoothing < 1; default 0. */
  readonly labelSmoothing?: number;
  /**
   * One a class, as PyTorch's cross_entropy weighs them, or "balanced": n / (K n_c) for n training images of
   * K classes, n_c of class c. Of the training loss only; default none.
   */
  readonly classWeights?: readonly number[] | "balanced";
  /** Greatest norm of the whole gradient; default none. */
  readonly clip?: number;
  /** Weights to begin from, see openPretrained; default: drawn by the seed. */
  readonly pretrained?: PretrainedWeights;
  /** Implementations of single convolutions; default: the backend's rule for all. */
  readonly convolutions?: ConvolutionChoices;
  /** Who decided them, for plan.json; default "given". */
  readonly convolutionsDecidedBy?: "tuned" | "memory" | "given";
  /**
   * Which parameters are trained: "all" (the default), those from a module on ("layer4"), or "head", the
   * layer that makes the logits. The others change by no bit.
   */
  readonly trainFrom?: string;
  /**
   * Epochs from which on training begins earlier in the network than at `trainFrom`. Optimizer state of
   * what is added begins there, and that of the rest is kept. Range tests train from `trainFrom`. Default:
   * none.
   */
  readonly unfreeze?: readonly Unfreezing[];
  /** Frozen batch norms keep their statistics ("evaluate", the default), or let them move ("train"). */
  readonly frozenBatchNorm?: "evaluate" | "train";
  /** Largest magnitude of each element of the gradient, after `clip`; default none. */
  readonly clipValue?: number;
  /** As of CompileOptions: "bf16" where the backend has it. Default "fp32". */
  readonly precision?: Precision;
  /** Parameters, by the beginnings of their names, with a rate or decay of their own; default none. */
  readonly parameterGroups?: readonly ParameterGroup[];
  /** false: biases and the gammas and betas of norms do not decay; default true. */
  readonly decayBiasesAndNorms?: boolean;
  /** An average of the weights to keep and to validate beside them; default none. */
  readonly average?: WeightAverage;
  /** Validate the mean of the probabilities at the ends of the schedule's cycles; default false. */
  readonly snapshots?: boolean;
  /** Where `dataset` holds features of images, and `network` is what takes them: see cacheFeatures. */
  readonly features?: Features;
  readonly onEvent?: StudyListener;
  /** Takes weights and checkpoints of trials; default: nobody does. */
  readonly sink?: WeightsSink;
  /** Ends the work after the update under way, with an InterruptedError. */
  readonly signal?: AbortSignal;
}

/** One training run: an optimizer on a schedule, for some epochs. */
export interface FitOptions extends TrainingSetup, BudgetOptions {
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

/** A range test: the rate rises from `from` to `to` over `epochs` epochs. */
export interface RangeTestOptions extends TrainingSetup {
  readonly optimizer: Optimizer;
  /** Rate of the first update; default 1e-7. */
  readonly from?: number;
  /** Rate of the last update; default 0.1. */
  readonly to?: number;
  /** Default "exponential". */
  readonly ramp?: "exponential" | "linear";
  /** Default 2. */
  readonly epochs?: number;
  /** Default [0]. */
  readonly seeds?: readonly number[];
  /** Stop once the smoothed loss exceeds this many times its least; default: run to the end. */
  readonly stopFactor?: number;
  /** How the loss is smoothed; default "published". */
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

/** A comparison: arms x seeds, and where cyclical arms take their bounds from. */
export interface CompareOptions extends TrainingSetup, BudgetOptions {
  /** "sgd+clr", "adam", "rmsprop@1e-3"; default DEFAULT_ARMS, six. */
  readonly optimizers?: readonly string[];
  readonly epochs: number;
  /** Default [0, 1, 2]. */
  readonly seeds?: readonly number[];
  readonly momentum?: number;
  readonly weightDecay?: number;
  /**
   * Of arms without a rate of their own: the optimizer's default ("defaults", the published protocol, in
   * which cyclical arms alone have a range test), or a range test's suggestion for each ("range-test").
   */
  readonly learningRates?: "defaults" | "range-test";
  /** Seeds of each range test, whose median is suggested; default 1. */
  readonly finderSeeds?: number;
  /** Each arm at so many multiples of its rate, from 1/10 to 10; odd, 3 or more. Default: its own rate alone. */
  readonly sensitivity?: number;
  /** Upper bound of cyclical arms; given, they have no range test. */
  readonly maxLr?: number;
  /** Default maxLr / 6. */
  readonly baseLr?: number;
  /** Half a cycle, in updates; default 4 epochs of updates. */
  readonly stepSize?: number;
  /** Stretch cycles so that the last one ends with the run; default false. */
  readonly snapCycles?: boolean;
  /** Of momentum, or beta1, in every arm that has one; "none": constant. Default: as `fit` chooses. */
  readonly momentumSchedule?: ScheduleSpec | "none";
  /** Ramp of the range test; default 1e-7 to 0.1, or to ten times the optimizer's default rate. */
  readonly from?: number;
  readonly to?: number;
  /** Epochs of the range test; default 2. */
  readonly rangeTestEpochs?: number;
  /** How the rate of range tests rises; default "exponential". */
  readonly ramp?: "exponential" | "linear";
  /** Whose reading of a range test is the arm's rate; default "minimum/10". */
  readonly rule?: RangeTestRuleName;
}
