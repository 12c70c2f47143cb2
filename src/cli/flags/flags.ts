/** @file The flags that several commands share, each stated once. */

import { MOST_SEEDS, MOST_THREADS, MOST_VIEWS } from "../../core/limits.ts";
import { optimizerNames } from "../../optimizers/names.ts";
import type { RangeTestRuleName } from "../../record/index.ts";
import { optional, toggle, untoggle, value } from "./define-command.ts";
import { recipeFlags } from "./recipe-flags.ts";
import {
  aboveOne,
  byteCount,
  fractionBelowOne,
  fractions,
  list,
  nonNegative,
  oneOf,
  openFraction,
  positive,
  positiveInteger,
  seedNumber,
  span,
  text,
} from "./values.ts";

export const jsonFlag = {
  json: toggle("print one JSON object on stdout; everything else goes to stderr"),
};

export const outFlag = {
  out: optional({
    placeholder: "dir",
    help: "folder of the run's records and report",
    read: text,
    shownFallback: "./lrscope-runs/<command>-<source>-<time>",
  }),
};

export const samplesFlag = {
  samples: untoggle("leave the sample images out of the report"),
  png: toggle("write the report's figures as PNG too"),
};

/** How a source becomes a data set. */
export const dataFlags = {
  size: optional({
    placeholder: "pixels",
    help: "working size of the images",
    read: positiveInteger("128"),
    shownFallback: "128; 28 for MNIST and Fashion-MNIST, 32 for CIFAR-10",
  }),
  validation: value({
    placeholder: "part",
    help: "part of each class kept for validation, where the source has no validation part",
    read: openFraction("0.2"),
    fallback: 0.2,
  }),
  splitSeed: value({ placeholder: "n", help: "seed of that split", read: seedNumber, fallback: 0 }),
  limit: optional({
    placeholder: "n",
    help: "take at most so many images of each class",
    read: positiveInteger("100"),
    shownFallback: "all",
  }),
  copies: value({
    placeholder: "keep|leave-out",
    help: "files that are the same bytes: keep them, or leave all but one out (and all, where they are in two classes)",
    read: oneOf(["keep", "leave-out"]),
    fallback: "keep" as const,
  }),
};

export const threadsFlag = {
  threads: optional({
    placeholder: "n",
    help: "cores to compute with",
    read: positiveInteger("2", MOST_THREADS),
    shownFallback: "all",
  }),
};

/** Which of a run's weights are meant, where a run directory stands for a checkpoint. */
export const trialChoiceFlags = {
  arm: optional({
    placeholder: "name",
    help: "of a run directory: the arm whose weights are taken",
    read: text,
    shownFallback: "the one that leads",
  }),
  seed: optional({
    placeholder: "n",
    help: "of a run directory: the seed whose weights are taken",
    read: seedNumber,
    shownFallback: "the one with the best validation accuracy",
  }),
};

export const modelFlag = {
  model: value({
    placeholder: "name|file",
    help: 'network: vanilla (a CNN of four blocks), vanilla_2019 (of three, that of the 2019 publication), resnet18, resnet34, resnet50, vgg11_bn, mobilenet_v2, efficientnet_lite0, or a .ts or .js file that exports one as "network"',
    read: text,
    fallback: "vanilla",
  }),
};

export const batchFlag = { batch: recipeFlags.batch };

export const precisionFlag = { precision: recipeFlags.precision };

export const pretrainedFlag = {
  pretrained: optional({
    placeholder: "name|file",
    help: "weights to begin from: imagenet (downloaded once), or a .safetensors, .pth or .onnx file",
    read: text,
    shownFallback: "drawn by the seed",
  }),
};

export const tuningFlags = {
  tuneConvolutions: toggle("time the implementations of each convolution and keep the fastest"),
  memory: optional({
    placeholder: "bytes",
    help: "greatest memory of a step: 2G, 800M",
    read: byteCount("2G"),
    shownFallback: "no bound",
  }),
};

export const featuresFlag = {
  cacheFeatures: optional({
    placeholder: "views",
    help: "run the frozen part once for so many augmented views of each image, and train from those",
    read: positiveInteger("4", MOST_VIEWS),
    shownFallback: "run it in each update",
  }),
};

/** How every study trains: flags of its own, and those of the recipe. */
export const trainingFlags = {
  ...modelFlag,
  ...pretrainedFlag,
  ...featuresFlag,
  ...dataFlags,
  ...recipeFlags,
  ...threadsFlag,
  seed: value({
    placeholder: "n",
    help: "initial weights, order, augmentation and dropout",
    read: seedNumber,
    fallback: 0,
  }),
  augment: value({
    placeholder: "kind",
    help: "default (photos: flip, rotate by 15 degrees, crop, brightness and contrast by 10%; digits: rotate) or none",
    read: oneOf(["default", "none"]),
    fallback: "default" as const,
  }),
  momentum: optional({
    placeholder: "m",
    help: "of the optimizers that have one: sgd, rmsprop; used as it is, unless --momentum-schedule is given",
    read: fractionBelowOne("0.9"),
    shownFallback: "0",
  }),
  weightDecay: optional({
    placeholder: "w",
    help: "L2 penalty added to the gradient",
    read: nonNegative("5e-4"),
    shownFallback: "0",
  }),
  ...tuningFlags,
};

export const epochsFlag = (fallback: number, help: string) => ({
  epochs: value({ placeholder: "n", help, read: positiveInteger(String(fallback)), fallback }),
});

export const seedsFlag = (fallback: number) => ({
  seeds: value({
    placeholder: "n",
    help: "runs of each: seed, seed + 1, ...",
    read: positiveInteger("3", MOST_SEEDS),
    fallback,
  }),
});

/** The ramp of a range test. */
export const rampFlags = {
  from: optional({
    placeholder: "rate",
    help: "learning rate of the range test's first update",
    read: positive("1e-7"),
    shownFallback: "found by a quick ramp",
  }),
  to: optional({
    placeholder: "rate",
    help: "and of its last",
    read: positive("0.1"),
    shownFallback: "where the loss diverges, or 10",
  }),
  published: toggle(
    "the range test as published: 1e-7 to 0.1 in two epochs unless that is said, minimum / 10 and a sixth of that",
  ),
};

/** How long a range test is that comes before other runs. */
export const finderUpdatesFlag = {
  finderUpdates: optional({
    placeholder: "n",
    help: "updates of each seed's range test",
    read: positiveInteger("400"),
    shownFallback: "200",
  }),
};

export const forceFlag = {
  force: toggle("go on from a range test that cannot say which rate to train with"),
};

export const stopFactorFlag = {
  stopFactor: optional({
    placeholder: "k",
    help: "stop once the smoothed loss is k times its least",
    read: aboveOne("4"),
    shownFallback: "run to the end",
  }),
};

/** What a range test watches, and how it is read. */
export const readingFlags = {
  ramp: value({
    placeholder: "kind",
    help: "how the rate rises: exponential, or linear as in the CLR paper's test",
    read: oneOf(["exponential", "linear"]),
    fallback: "exponential" as const,
  }),
  loss: value({
    placeholder: "part",
    help: "train (of each batch), or validation (of 256 images, after the update)",
    read: oneOf(["train", "validation"]),
    fallback: "train" as const,
  }),
  lossEvery: optional({
    placeholder: "n",
    help: "with --loss validation: measure it after every n-th update",
    read: positiveInteger("4"),
    shownFallback: "1",
  }),
  smoothing: optional({
    placeholder: "kind",
    help: "of the loss: proportional (over half a power of ten of the rate), published (weight 0.05), bias-corrected (0.02, as fastai) or none",
    read: oneOf(["proportional", "published", "bias-corrected", "none"]),
    shownFallback: "proportional",
  }),
  rule: optional({
    placeholder: "name",
    help: "whose reading is suggested: fall, minimum/10, steepest, valley, slide or elbow (of accuracy)",
    read: oneOf<RangeTestRuleName>(["fall", "minimum/10", "steepest", "valley", "slide", "elbow"]),
    shownFallback: "fall; with --published minimum/10",
  }),
};

/** What the results are asked for beside the usual. */
export const answerFlags = {
  targets: optional({
    placeholder: "list",
    help: "validation accuracies to time the arms to, 0.6,0.75",
    read: fractions("0.6,0.75"),
    shownFallback: "four, from the results",
  }),
  profile: toggle("add a performance profile over those targets to the summary"),
};

export const tensorboardFlag = {
  tensorboard: toggle("write event files for TensorBoard as well, in tensorboard/ of the run"),
};

/** The suggestion, and what real runs make of it. */
export const tuneFlags = {
  tune: toggle(
    "train shortly at the suggested rate, half and twice it, over three seeds or more, and at greater or lesser rates until the best lies between two that are worse",
  ),
  tuneEpochs: optional({
    placeholder: "n",
    help: "epochs of each of those runs",
    read: positiveInteger("2"),
    shownFallback: "2",
  }),
};

/** A suggestion put to the test. */
export const confirmFlags = {
  confirm: toggle(
    "train shortly at the upper bound, a third and three times it, over three seeds or more, and report the regret",
  ),
  confirmEpochs: optional({
    placeholder: "n",
    help: "epochs of each of those runs",
    read: positiveInteger("2"),
    shownFallback: "2",
  }),
};

/** Bounds of a cyclical schedule. */
export const cycleFlags = {
  maxLr: optional({
    placeholder: "rate",
    help: "upper bound of the cyclical schedule",
    read: positive("0.01"),
    shownFallback: "the peak that a range test finds",
  }),
  baseLr: optional({
    placeholder: "rate",
    help: "lower bound",
    read: positive("0.002"),
    shownFallback: "upper bound / 6",
  }),
  stepSize: value({
    placeholder: "n|ne",
    help: "half a cycle, in updates (216) or epochs (4e)",
    read: span,
    fallback: { count: 4, unit: "epochs" } as const,
    shownFallback: "4e",
  }),
};

/** How cycles and momentum follow. */
export const followFlags = {
  snapCycles: toggle("stretch cycles so that the last one ends with the run"),
  momentumSchedule: optional({
    placeholder: "word|spec",
    help: "of momentum or beta1: none (constant), inverse (opposite to the rate in clr and 1cycle: 0.9 down to 0.8) or a SPEC of lrscope schedule",
    read: text,
    shownFallback: "none where --momentum is given, else inverse",
  }),
};

/** One optimizer, by name. */
export const optimizerFlag = {
  optimizer: value({
    placeholder: "name",
    help: `${optimizerNames.slice(0, -1).join(", ")} or ${optimizerNames.at(-1)}, with settings in brackets as in adam(beta2=0.95); or a file that exports one`,
    read: text,
    fallback: "sgd",
  }),
};

export const optimizersFlag = (fallback: readonly string[]) => ({
  optimizers: value({
    placeholder: "arms",
    help: "what to compare, each NAME[+SCHEDULE][@RATE]; settings in brackets behind a word",
    read: list("sgd+clr,adam,rmsprop@1e-3"),
    fallback,
    shownFallback: fallback.join(","),
  }),
});

export const jobsFlag = {
  jobs: value({
    placeholder: "n",
    help: "runs at the same time, which share the cores",
    read: positiveInteger("2"),
    fallback: 1,
    shownFallback: "what is fastest; of find 1",
  }),
};
