/** @file The article's experiments: what each was run with, and the curves of its runs. */

import { bands } from "lrscope/analysis";
import type { ArmRecord, ExperimentRecord } from "lrscope/record";
import { TRANSFER_LOGS, VANILLA_LOGS } from "./logs.ts";

/** What the curves are of, as a report cites it. */
export const CITATION =
  "“Adaptive and Cyclical Learning Rates using PyTorch” (2019), training logs: Kaggle Flowers Recognition, 3,456 training and 865 validation photos, batch size 64";

/** Training and validation photos together. */
export const IMAGES = 4321;
const VALIDATION_IMAGES = 865;
export const BATCH = 64;
export const CLASSES = ["daisy", "dandelion", "rose", "sunflower", "tulip"] as const;

export type PublishedExperiment = "vanilla" | "transfer";

export const EXPERIMENTS = {
  vanilla: {
    title: "vanilla CNN from scratch, 150 epochs, 3 runs",
    epochs: 150,
    runs: 3,
    logs: VANILLA_LOGS,
  },
  transfer: {
    title: "ResNet-34 transfer learning, 100 epochs, 2 runs",
    epochs: 100,
    runs: 2,
    logs: TRANSFER_LOGS,
  },
} as const;

/** The article's arms, in the order of its text. */
export const ARMS = ["sgd+clr", "adagrad", "adadelta", "rmsprop", "adam", "adamax"] as const;

/** Rates of those that have one: PyTorch's defaults. */
const RATES: Readonly<Record<string, number>> = {
  adam: 1e-3,
  adamax: 2e-3,
  adadelta: 1,
  adagrad: 1e-2,
  rmsprop: 1e-2,
};

/** One optimizer's curves; index 0 is epoch 1. */
export interface PublishedCurve {
  /** "sgd+clr", "adam", ... */
  readonly optimizer: string;
  /** Validation accuracy of each run, epoch by epoch. */
  readonly runs: readonly (readonly number[])[];
  /** Over the runs. */
  readonly validationAccuracy: { mean: number[]; min: number[]; max: number[] };
  /** Mean over the runs, to a thousandth. */
  readonly trainAccuracy: readonly number[];
}

const numbers = (line: string) => line.split(" ").map(Number);

/** The curves by optimizer, in the article's own order of merit. */
export function publishedCurves(experiment: PublishedExperiment): PublishedCurve[] {
  return Object.entries(EXPERIMENTS[experiment].logs).map(([optimizer, log]) => {
    const runs = log.validation.map((line) =>
      numbers(line).map((right) => right / VALIDATION_IMAGES),
    );
    // Every run has a value at every epoch.
    const band = bands(runs).flatMap((point) => (point ? [point] : []));
    return {
      optimizer,
      runs,
      validationAccuracy: {
        mean: band.map((point) => point.mean),
        min: band.map((point) => point.min),
        max: band.map((point) => point.max),
      },
      trainAccuracy: numbers(log.training).map((thousandths) => thousandths / 1000),
    };
  });
}

/** The article's plain CNN: which it was is not printed, and has been found from its logs. */
export const PUBLISHED_CNN = "vanilla_2019";
/** Width and height of its photos, in pixels. */
export const SIZE = 224;

/** Whether the model is the one that the article's experiment in transfer learning was made with. */
export const isPublishedTransfer = (model: string): boolean => /^resnet-?34/i.test(model);

/**
 * The experiment that a model repeats: a vanilla CNN's, or that of a network with ImageNet weights, a ResNet-34 or
 * in its place an EfficientNet-Lite0; null of any other.
 */
export function experimentOf(model: string): PublishedExperiment | null {
  if (/^vanilla/i.test(model)) return "vanilla";
  return isPublishedTransfer(model) || model === "efficientnet_lite0" ? "transfer" : null;
}

/** Whether classes are the article's five flowers, in the singular or the plural, in any order. */
export function isFlowers(classes: ExperimentRecord["dataset"]["classes"]): boolean {
  const names = classes.map(({ name }) => name.toLowerCase().replace(/s$/, "")).sort();
  return names.join() === CLASSES.join();
}

/**
 * The article's optimizer that an arm repeats, null if none: the same optimizer at the rate used there (its
 * default) without a schedule; for SGD, the triangular one, whatever its bounds.
 */
export function publishedOptimizer(arm: ArmRecord): string | null {
  if (arm.sensitivity && arm.sensitivity.factor !== 1) return null;
  if (arm.optimizer === "sgd") return arm.schedule === "clr" ? "sgd+clr" : null;
  const rate = RATES[arm.optimizer];
  if (rate === undefined || arm.schedule !== null) return null;
  return arm.learningRate === null || arm.learningRate === rate ? arm.optimizer : null;
}
