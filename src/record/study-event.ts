/**
 * @file What a study says while it works: plain JSON, so that a terminal, a log, another process and a
 * page hear the same. A number that is not finite is null. Weights are no events: see WeightsSink of train/.
 */

import { z } from "zod";
import { datasetRecord } from "./experiment.ts";
import { lastLayer } from "./last-layer.ts";
import { planRecord } from "./plan.ts";
import { rangeTestRecord, rangeTestSearch } from "./range-test.ts";
import { frozenBatchNorm, unfreezings } from "./recipe-schema.ts";
import { epochMetrics, trialRecord } from "./trial.ts";

const count = z.number().int().nonnegative();

/** Every event says which version of this file wrote it. */
const event = <T extends string, S extends z.ZodRawShape>(type: T, shape: S) =>
  z.object({ formatVersion: z.literal(1), type: z.literal(type), ...shape });

/** Of which trial, or of which run of a range test, an event is. */
const subject = { arm: z.string(), seed: count };

/** Work that is counted beside the training: what comes before the trials, and what comes after them. */
const data = event("data", {
  phase: z.enum(["download", "decode", "features", "classify"]),
  /** Bytes, images or, of "classify", trials. */
  done: count,
  /** null where unknown. */
  total: count.nullable(),
  /** The file, data set or weights. */
  what: z.string(),
  /** Why it is done again, where the cache had it, damaged. */
  why: z.string().optional(),
});

/** What the source turned out to be. */
const dataset = event("dataset", {
  dataset: datasetRecord,
  /** Images of each part. */
  train: count,
  validation: count,
  test: count,
});

/** Files of the source that cannot be used; none is said too. */
const brokenFiles = event("broken-files", { broken: datasetRecord.shape.broken });

/** Weights from elsewhere: how many tensors were taken and from where, and which parameters begin anew. */
const pretrained = event("pretrained", {
  source: z.string(),
  tensors: count,
  replaced: z.array(z.string()).readonly(),
  /** How the last layer begins, and why. */
  lastLayer: lastLayer.optional(),
  /** Of the optimizer, taken for the parameters. */
  state: z.string().optional(),
  /** What stood before the network's names. */
  prefix: z.string().optional(),
  /** Where in the file the tensors lay, and where it has others. */
  part: z.string().optional(),
  otherParts: z.array(z.string()).readonly().optional(),
  /** Of other modules. */
  leftOut: z.array(z.string()).readonly().optional(),
  /** By channel, of pixels in 0 .. 1: what images are normalised by, as the weights know them. */
  normalization: z
    .object({ mean: z.array(z.number()).readonly(), std: z.array(z.number()).readonly() })
    .optional(),
});

/** Not all parameters are trained. */
const frozen = event("frozen", {
  trainFrom: z.string(),
  frozenBatchNorm: frozenBatchNorm.optional(),
  unfreeze: unfreezings.readonly().optional(),
});

/** The feature cache is at hand; `found`: an earlier run had made it, in so many seconds. */
const features = event("features", {
  views: count,
  bytes: count,
  seconds: z.number(),
  found: z.boolean(),
});

/** The implementations of each convolution are being timed. */
const tuning = event("tuning", {});

/** Something by the way of it, for people. */
const tuningDetail = event("tuning-detail", { text: z.string() });

/** Milliseconds of a step, as tuned and by the engine's rule; choices other than the rule's. */
const tuned = event("tuned", { stepMs: z.number(), ruleStepMs: z.number(), choices: count });

/** A place of this machine, as the call named it: whoever passes events on to others leaves it out. */
const place = { path: z.string() };

/** Records go to this folder. */
const recording = event("recording", place);

/** How much there is to do, of more than one trial. */
const planned = event("planned", {
  arms: count,
  seeds: count,
  epochs: count,
  updatesPerEpoch: count,
  /** Trials at a time and the cores of each, where they were chosen, and why. */
  atATime: z.object({ jobs: count, threads: count, why: z.string() }).optional(),
});

/** Best weights that cannot be read, and are left out of the confusions. */
const damagedWeights = event("damaged-weights", { message: z.string() });

/** Records so far; `command` resumes the study, and is null where nothing can. */
const interrupted = event("interrupted", {
  ...place,
  report: z.string().nullable(),
  command: z.string().nullable(),
  /** Of the trials of the study those that have ended, and all; absent where none was planned. */
  finished: count.optional(),
  planned: count.optional(),
});

/** So many runs of an earlier call are not finished. */
const resuming = event("resuming", { ...place, left: count });

/** All runs had ended: what follows from them is made again. */
const finishedAlready = event("finished-already", place);

/** Except these files, which take images or weights that are not at hand. */
const notMadeAgain = event("not-made-again", {
  files: z.array(z.string()).readonly(),
  reason: z.string(),
});

/** It was begun by another version, whose last bits may be others. */
const otherVersion = event("other-version", { before: z.string(), here: z.string() });

/** It was begun on another model of processor. */
const otherProcessor = event("other-processor", { before: z.string(), here: z.string() });

/** Whoever runs the tasks elsewhere ("slurm", "redis") says what holds them up, or how it goes on. */
const executor = event("executor", { executor: z.string(), message: z.string() });

/** Of the quick ramp, which finds the ends of the others: the updates of each ramp that follows it. */
const isSearch = { search: count.optional() };

const rangeTestStarted = event("range-test-started", { ...subject, updates: count, ...isSearch });

const rangeTestUpdate = event("range-test-update", {
  ...subject,
  /** Updates made, and to make. */
  update: count,
  updates: count,
  lr: z.number(),
  /** The newest that was measured; null where it is not finite, and before the first one. */
  loss: z.number().nullable(),
  smoothedLoss: z.number().nullable(),
  imagesPerSecond: z.number(),
  /** To the end of this ramp, at the speed so far. */
  secondsLeft: z.number(),
  ...isSearch,
});

/** The quick ramp has found the ends of the others. */
const rangeTestSearched = event("range-test-search", {
  arm: z.string(),
  search: rangeTestSearch,
  seconds: z.number(),
});

/** One seed's curve is whole; it is read when all are. */
const rangeTestRun = event("range-test-run", {
  arm: z.string(),
  run: rangeTestRecord.shape.runs.element,
  seconds: z.number(),
});

const rangeTestFinished = event("range-test-finished", {
  arm: z.string(),
  record: rangeTestRecord,
});

/** How the step was compiled; before each trial, and before each run of a range test. */
const plan = event("plan", { ...subject, plan: planRecord });

const trialStarted = event("trial-started", {
  trial: trialRecord,
  /** The epochs after which it is resumed; none: it starts from the beginning. */
  metrics: z.array(epochMetrics),
  /** Its place among the trials of the study, from 0. */
  index: count,
  trials: count,
});

const update = event("update", {
  ...subject,
  /** Epoch under way, from 1. */
  epoch: count,
  /** Updates made, and to make, in the trial. */
  update: count,
  updates: count,
  lr: z.number(),
  /** Of the update's own batch; null where it is not finite. */
  loss: z.number().nullable(),
  imagesPerSecond: z.number(),
});

const epoch = event("epoch", { ...subject, metrics: epochMetrics });

/** What the user should know, and did not ask: a run is longer than its schedule. */
const warning = event("warning", { ...subject, message: z.string() });

/** The sink has these weights, if there is one. "averaged" comes at the end, where an average is kept. */
const weights = event("weights", {
  ...subject,
  which: z.enum(["best", "last", "averaged"]),
  epoch: count,
});

/** The sink has what the trial can be resumed from after this epoch, if there is a sink. */
const checkpoint = event("checkpoint", { ...subject, epoch: count });

/** What was asked of a study from outside while it was there: the lines of steering.jsonl. */
const steered = event("steered", {
  /** ISO 8601. */
  at: z.string(),
  what: z.enum(["start", "pause", "resume", "prolong", "stop", "stop-arm", "resume-arm"]),
  /** Of "stop-arm" and "resume-arm". */
  arm: z.string().optional(),
  /** Of "prolong": epochs of each run, in all. */
  epochs: count.optional(),
});

/** One decision on one arm. */
export const rungDecision = z.object({
  arm: z.string(),
  /** From 1. */
  rung: count.positive(),
  /** After which it is taken. */
  epoch: count.positive(),
  decision: z.enum(["promoted", "pruned"]),
  /** By which it is judged together. */
  seeds: z.array(z.number().int()),
  /** Mean validation accuracy over the seeds at the rung; null where a seed diverged. */
  score: z.number().nullable(),
  /** Among the arms that had come to the rung, the best first. */
  rank: count.positive(),
  of: count.positive(),
  /** For people, as the end of a sentence. */
  reason: z.string(),
});
export type RungDecision = z.infer<typeof rungDecision>;

/** An arm goes on from a rung, or ends there: the lines of pruning.jsonl. */
const rung = event("rung", rungDecision.shape);

/** What the study may spend is spent: trials that have not begun, or have not ended, are left. */
const budgetReached = event("budget-reached", {
  ...place,
  what: z.enum(["trials", "hours"]),
  limit: z.number(),
  /** Of trials those begun; of hours those recorded. */
  used: z.number(),
  /** Trials that are not at their end. */
  left: count,
  /** Goes on with twice as much. */
  command: z.string(),
});

const trialFinished = event("trial-finished", { trial: trialRecord });

/** A line of steering.jsonl. */
export const steeredEvent = steered;

/** A line of pruning.jsonl. */
export const rungEvent = rung;
export type RungEvent = z.infer<typeof rung>;

export const studyEvent = z.discriminatedUnion("type", [
  data,
  dataset,
  brokenFiles,
  pretrained,
  frozen,
  features,
  tuning,
  tuningDetail,
  tuned,
  recording,
  planned,
  damagedWeights,
  interrupted,
  resuming,
  finishedAlready,
  notMadeAgain,
  otherProcessor,
  otherVersion,
  executor,
  rangeTestStarted,
  rangeTestUpdate,
  rangeTestSearched,
  rangeTestRun,
  rangeTestFinished,
  plan,
  trialStarted,
  update,
  epoch,
  warning,
  weights,
  checkpoint,
  steered,
  rung,
  budgetReached,
  trialFinished,
]);
/** One thing that a study says, told apart by `type`. */
export type StudyEvent = z.infer<typeof studyEvent>;
export type DataEvent = z.infer<typeof data>;
export type SteeredEvent = z.infer<typeof steered>;

/** An event without its version: what an emitter says. */
export type EventBody<E = StudyEvent> = E extends StudyEvent ? Omit<E, "formatVersion"> : never;

/** The event as it is sent and written. */
export const versioned = <E extends EventBody>(event: E): E & { formatVersion: 1 } => ({
  formatVersion: 1,
  ...event,
});

/**
 * What it throws, or a promise of its rejects with, ends the work. A promise is awaited on "weights",
 * "checkpoint" and at the end of a trial or range test.
 */
export type StudyListener = (event: StudyEvent) => void | Promise<void>;
