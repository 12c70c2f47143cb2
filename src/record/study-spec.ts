/**
 * @file What is asked of a study: its arms, seeds and ends, its data and network, and the recipe of
 * training. Plain JSON without a path of the machine: from it, and the places of what it names, a study is
 * opened, run and resumed. Rules between fields (whether a rate lies below another, whether an optimizer
 * exists) are those of the functions that read it.
 */

import { z } from "zod";
import { fileName } from "./file-name.ts";
import { rangeTestRule } from "./range-test.ts";
import { recipeRecord } from "./recipe-schema.ts";
import { scheduleSpec } from "./trial.ts";

const positive = z.number().positive();
const natural = z.number().int().nonnegative();
const count = z.number().int().positive();
const share = z.number().min(0).max(1);
const seed = natural.max(0xffff_ffff);

/** 216 updates, or 4 epochs. */
export const span = z.object({ count: positive, unit: z.enum(["updates", "epochs"]) });
export type Span = z.infer<typeof span>;

/** A study that was made longer after it had begun, where the schedule of an arm depends on its length. */
export const prolongation = z.object({
  /** Epochs that it had before. */
  epochs: count,
  /** Epochs that the furthest of its runs had been trained for by then. */
  after: count,
  /** How such schedules go on: stretched to the new length from there, or past their end. */
  schedule: z.enum(["stretch", "continue"]),
});
export type Prolongation = z.infer<typeof prolongation>;

/** What holds where a study does not say; the schema and all that plans by a part of one agree on it. */
export const STUDY_DEFAULTS = {
  seeds: [0, 1, 2],
  learningRates: "defaults",
  finderSeeds: 1,
  rangeTestUpdates: 200,
  reading: "averaged",
  force: false,
  ramp: "exponential",
  snapCycles: false,
  evalEvery: 1,
} as const;

/** What may end a trial before its last epoch; all off by default. */
export interface Ends {
  /** Seconds of training and validation; the epoch in which they are used up is finished. */
  readonly time?: number;
  /** Validation accuracy, 0 .. 1. */
  readonly targetAccuracy?: number;
  /** Validate after every so many epochs, and after the last; default 1. */
  readonly evalEvery?: number;
  /** So many validations in a row without a better accuracy. */
  readonly earlyStopping?: number;
  /**
   * From this epoch on: ends where the best accuracy so far is below the median of what the other trials
   * of the seed had reached by then, of which there must be two.
   */
  readonly prune?: number;
}

const ends = {
  time: positive.optional(),
  targetAccuracy: share.optional(),
  evalEvery: count.default(STUDY_DEFAULTS.evalEvery),
  earlyStopping: count.optional(),
  prune: count.optional(),
} satisfies Record<keyof Ends, z.ZodType>;

/** How arms that are behind are ended. */
export const pruningRecord = z.object({
  /**
   * "halving": successive halving, rung by rung (Jamieson and Talwalkar, 2016). "asha": the same without waiting for
   * the others (Li et al., 2018). "median": the median stopping rule (Golovin et al., 2017).
   */
  method: z.enum(["halving", "asha", "median"]),
  /** One arm in so many goes on, and trains so many times as long; of halving and asha. */
  reduction: count.min(2).default(3),
  /** Epochs of the first rung, and of "median" between two; absent: by the length of the run. */
  grace: count.optional(),
  /** Arms that are never pruned, at least: below two there is nothing to compare at the end. */
  finalists: count.default(2),
});

/** From arms and seeds to trials: see arms/trials.ts. */
const planned = {
  /** Arms: "sgd+clr", "adam", "rmsprop@1e-3". */
  optimizers: z.array(z.string()).min(1).readonly(),
  seeds: z.array(seed).min(1).readonly(),
  epochs: count,
  /** Of a study that was made longer, in the order in which that was asked for; `epochs` is what it has now. */
  prolonged: z.array(prolongation).readonly().optional(),
  /** Of the optimizers that have one, in each update unless `momentumSchedule` says else; absent: their own. */
  momentum: share.optional(),
  weightDecay: z.number().nonnegative().optional(),
  /**
   * Of momentum, or beta1, in every arm that has one; "none": constant; "inverse": opposite to the rate
   * beside cyclical schedules and one-cycle, as `fit` has it. Absent: constant where `momentum` is given
   * and the optimizer has one, else as "inverse".
   */
  momentumSchedule: z.union([z.enum(["none", "inverse"]), scheduleSpec]).optional(),
  /**
   * Of arms without a rate of their own: the optimizer's default ("defaults", the published protocol, in
   * which cyclical arms alone have a range test), or a range test's suggestion for each ("range-test").
   */
  learningRates: z.enum(["defaults", "range-test"]).default(STUDY_DEFAULTS.learningRates),
  /** Seeds of each range test, which are read together. */
  finderSeeds: count.default(STUDY_DEFAULTS.finderSeeds),
  /** Each arm at so many multiples of its rate, from 1/10 to 10; odd, 3 or more. Absent: its own rate alone. */
  sensitivity: count.optional(),
  /** Upper bound of cyclical arms; given, they have no range test. */
  maxLr: positive.optional(),
  /** Absent: maxLr / 6. */
  baseLr: positive.optional(),
  /** Half a cycle, in updates or as a span; absent: 4 epochs. */
  stepSize: z.union([count, span]).optional(),
  /** Stretch cycles so that the last one ends with the run. */
  snapCycles: z.boolean().default(STUDY_DEFAULTS.snapCycles),
  /** Ends of the range test's ramp; absent: found by the test itself, or with the reading "published" as there. */
  from: positive.optional(),
  to: positive.optional(),
  /** Length of each seed's range test, in updates; absent: `rangeTestEpochs`, of a study of kind "find" `epochs`, or 200. */
  rangeTestUpdates: count.optional(),
  rangeTestEpochs: count.optional(),
  /** How range tests are read: guarded, or as published, from 1e-7 to 0.1 over two epochs unless that is said. */
  reading: z.enum(["averaged", "published"]).default(STUDY_DEFAULTS.reading),
  /** Go on from a range test that cannot say which rate to train with. */
  force: z.boolean().default(STUDY_DEFAULTS.force),
  ramp: z.enum(["exponential", "linear"]).default(STUDY_DEFAULTS.ramp),
  /** Whose reading of a range test is the arm's rate. */
  /** Default that of the reading: "fall", as published "minimum/10". */
  rule: rangeTestRule.optional(),
  ...ends,
  /** Arms are judged at rungs, each by all its seeds together, and those that are behind end there; absent: none are. */
  pruning: pruningRecord.optional(),
  /** Trials that are begun, at most, so that all arms have the same seeds; absent: all. */
  maxTrials: count.optional(),
  /** Worker-hours of training and validation of all trials together, after which none goes on; absent: no bound. */
  maxHours: positive.optional(),
};

/** Of the range test of `find` alone. */
const finder = {
  /** Stop once the smoothed loss exceeds this many times its least; absent: run to the end. */
  stopFactor: z.number().gt(1).optional(),
  smoothing: z.enum(["proportional", "published", "bias-corrected", "none"]).optional(),
  /** Of each batch as it is trained on, or of validation images after it; absent: "train". */
  loss: z.enum(["train", "validation"]).optional(),
  /** Of a validation loss: measured after every so many updates, and the last. */
  validationEvery: count.optional(),
  /** Epochs of runs at the suggested rate, a third of it and three times it; absent: none are made. */
  confirm: count.optional(),
  /** Epochs of the runs that tune the suggested rate; absent: none are made. */
  tuneEpochs: count.optional(),
};

/** How the source becomes a data set. */
const data = z.object({
  /** Pixels; absent: the source's own. */
  size: count.optional(),
  /** Images a class, at most. */
  limit: count.optional(),
  validation: share,
  /** Fraction of each class kept for the test at the end of a trial. */
  test: share.optional(),
  splitSeed: natural,
  augment: z.enum(["default", "none"]),
  /** Absent: files that are the same bytes are kept. */
  copies: z.enum(["keep", "leave-out"]).optional(),
});

/** What is asked of the results beside the usual. */
const answers = z.object({
  /** Validation accuracies to time the arms to; absent: chosen from the results. */
  targets: z.array(share).readonly().optional(),
  profile: z.boolean().default(false),
  tensorboard: z.boolean().default(false),
  /** Sample images in the report. */
  samples: z.boolean().default(true),
  /** Figures as PNG too. */
  png: z.boolean().default(false),
});

export const studySpec = z.object({
  formatVersion: z.literal(2),
  kind: z.enum(["demo", "find", "train", "compare"]),
  ...planned,
  ...finder,
  /** A source's name; null: a folder or file, which is a matter of the machine. */
  source: z.string().nullable(),
  /** Files that arms are made of, by the names that they have there; absent: none. */
  files: z
    .array(z.object({ name: fileName, sha256: z.string() }))
    .readonly()
    .optional(),
  /** Names in arms that stand for objects of the program that ran it, which no record holds; absent: none. */
  objects: z.array(z.string()).readonly().optional(),
  data,
  /** A name of the collection; null: a file that exports `network`. */
  model: z.string().nullable(),
  /** The file's own name, for people. */
  modelFile: z.string().optional(),
  modelOptions: z
    .object({ widths: z.array(count).readonly().optional(), hidden: count.optional() })
    .optional(),
  /** Published weights by name; null: a file of them; absent: drawn by the seed. */
  pretrained: z.string().nullable().optional(),
  /** Augmented views of each image in the feature cache; absent: no cache. */
  cacheFeatures: count.optional(),
  recipe: recipeRecord,
  /** Time the implementations of each convolution and keep the fastest. */
  tune: z.boolean().default(false),
  /** Greatest memory of a step, in bytes; absent: no bound. */
  memory: count.optional(),
  answers,
  /** Which weights of each run stay on the disk in the end; absent: the best and the last. */
  keep: z.enum(["best", "last", "none"]).optional(),
  /** The published study whose protocol this one follows: what that sets, the rest has already. */
  protocol: z.string().optional(),
  /** Trials at a time. */
  jobs: count.default(1),
  /** Cores of each trial, on which its bits depend; absent: the cores that there are, divided by `jobs`. */
  threads: count.optional(),
});

/** JSON has no undefined: what is optional is absent, or has its type. */
export type Present<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [K in keyof T]: Present<Exclude<T[K], undefined>> }
    : T;

/** A whole study, defaults in place. */
export type StudySpec = Present<z.infer<typeof studySpec>>;
/** As it may be written: what has a default may be left out. */
export type StudyRequest = Readonly<z.input<typeof studySpec>>;

/** What trials are planned from, in part: see STUDY_DEFAULTS for the rest; without optimizers the default arms. */
export type Planned = Partial<Pick<StudySpec, keyof typeof planned>> & Pick<StudySpec, "epochs">;

const ENDS = Object.keys(ends) as (keyof typeof ends)[];

/** Those of what may end a trial that are given. */
export const endsOf = (study: Ends): Ends =>
  Object.fromEntries(
    ENDS.filter((name) => study[name] !== undefined).map((name) => [name, study[name]]),
  );
