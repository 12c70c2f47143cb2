/**
 * @file What find, train, compare and demo share: from flags to a data set, a network, an engine and
 * a run directory; then the work; then the report. Everything that can be refused is refused before
 * the long work begins, and a run that is interrupted leaves its records and a report of them.
 */

import { defaultOut } from "../cli/flags/default-out.ts";
import type { CommandContext, FlagValues } from "../cli/flags/define-command.ts";
import type { outFlag, samplesFlag, trainingFlags, unfreezeFlag } from "../cli/flags/flags.ts";
import type { scoringFlags } from "../cli/flags/protocol-flags.ts";
import type { averageFlags } from "../cli/flags/update-flags.ts";
import { updateOptions } from "../cli/flags/update-options.ts";
import { describeBroken } from "../cli/text/broken-files.ts";
import { count, duration, mebibytes, plural } from "../cli/text/format.ts";
import { openProgress, type Progress } from "../cli/text/progress.ts";
import { InterruptedError } from "../core/errors.ts";
import {
  type ArmRecord,
  type ExperimentRecord,
  type StudyListener,
  versioned,
} from "../record/index.ts";
import type { Run, RunDirectory } from "../store/index.ts";
import type { Features } from "../train/freezing/frozen-features.ts";
import type { PretrainedWeights } from "../train/freezing/pretrained-weights.ts";
import type { TrainingSetup } from "../train/options.ts";
import type { ProtocolOptions } from "../train/protocol-options.ts";
import { type ConvolutionDecision, chooseConvolutions } from "./choose-convolutions.ts";
import { rememberPlaces } from "./places.ts";
import { checkProtocol } from "./protocols.ts";
import type { SetupSpec } from "./setup.ts";

export type ExperimentFlags = FlagValues<
  typeof trainingFlags & typeof outFlag & typeof samplesFlag
> &
  Partial<FlagValues<typeof averageFlags & typeof scoringFlags & typeof unfreezeFlag>>;

export interface ExperimentCall {
  readonly kind: ExperimentRecord["kind"];
  readonly source: string;
  readonly flags: ExperimentFlags;
  readonly context: Pick<CommandContext<Record<string, never>>, "terminal" | "signal">;
  readonly arms: readonly ArmRecord[];
  readonly epochs: number;
  readonly seeds: readonly number[];
  /** Options of the protocol, for the record. */
  readonly protocol?: ProtocolOptions;
  /** Of the network's family: widths, hidden. */
  readonly modelOptions?: { readonly widths?: readonly number[]; readonly hidden?: number };
  /** Trials at a time, among which the cores are divided; default 1. */
  readonly jobs?: number;
  /** Cores for decoding and features, before there are trials; default: those of all trials. */
  readonly preparationThreads?: number;
  /** The call as data, for experiment.json, where it can be gone on with. */
  readonly specification?: ExperimentRecord["specification"];
  /** As the experiment was begun with; absent or null: as the flags say. */
  readonly convolutions?: ConvolutionDecision | null;
  /**
   * Refuses what the long work would refuse, once data, network and engine are known and before anything
   * is written.
   */
  check?(setup: TrainingSetup): void | Promise<void>;
  /** The long work; its records go through `directory`. */
  work(opened: OpenedExperiment): Promise<void>;
}

export interface OpenedExperiment {
  /** `setup` as data, for other processes to open. */
  readonly spec: SetupSpec;
  readonly setup: TrainingSetup;
  readonly directory: RunDirectory;
  readonly experiment: ExperimentRecord;
  /** Draws the bar; give it to the training beside the recorder. */
  readonly progress: StudyListener;
}

export interface FinishedExperiment {
  readonly path: string;
  readonly report: string;
  readonly run: Run;
}

/** @throws LrscopeError; an InterruptedError after records and report are written */
export async function runExperiment(call: ExperimentCall): Promise<FinishedExperiment> {
  const { flags, kind } = call;
  const { acquireLease, checkRunDirectory, createRunDirectory } = await import("../store/index.ts");
  const path = flags.out ?? defaultOut(kind, call.source);
  checkRunDirectory(path);
  return await openExperiment(call, async ({ experiment, ...opened }) => {
    const lease = await acquireLease(path);
    try {
      const directory = createRunDirectory(path, experiment, lease);
      call.context.terminal.note(`records go to ${path}`);
      return await recordedWork(call, { ...opened, experiment, directory });
    } finally {
      lease.release();
    }
  });
}

/** Opens what an experiment needs, says what it is, and describes it, for `use`. */
export async function openExperiment<T>(
  call: Omit<ExperimentCall, "work">,
  use: (
    opened: Omit<OpenedExperiment, "directory" | "progress"> & { progress: Progress },
  ) => Promise<T>,
): Promise<T> {
  const { flags, context, kind, arms, epochs, seeds } = call;
  const { terminal, signal } = context;
  const { checkPrecision } = await import("../engine/native/precision.ts");
  checkPrecision(kind, flags.precision);
  const { defaultThreads, threadsOfEach } = await import("../files/machine.ts");
  const { describeExperiment } = await import("./experiment.ts");
  const { openSetup } = await import("./setup.ts");
  const trials = arms.length * seeds.length;
  const jobs = Math.min(call.jobs ?? 1, trials);
  const threads = flags.threads ?? defaultThreads();
  const { preparationThreads = threads } = call;
  const spec = {
    ...setupSpec(call, threadsOfEach({ jobs, threads: flags.threads })),
    preparationThreads,
  };
  const progress = openProgress(terminal);
  const { setup, dataset } = await openSetup(spec, {
    signal,
    onEvent: progress.onEvent,
  }).finally(() => progress.stop());
  try {
    const { record } = dataset;
    terminal.note(
      `${record.name}: ${count(record.images)} images at ${record.size}x${record.size} in ${record.classes.length} classes; ${count(dataset.train.length)} to train, ${count(dataset.validation.length)} to validate${dataset.test.length > 0 ? `, ${count(dataset.test.length)} kept for the test` : ""}`,
    );
    if (setup.pretrained) terminal.note(describePretrained(setup.pretrained));
    if (setup.trainFrom !== "all") terminal.note(describeFreezing(setup));
    if (setup.features) terminal.note(describeFeatures(setup.features));
    for (const line of describeBroken(record.broken, { limit: 20 })) terminal.note(line);
    const experiment = describeExperiment({
      kind,
      arms,
      epochs,
      seeds,
      validation: flags.validation,
      splitSeed: flags.splitSeed,
      precision: flags.precision,
      protocol: call.protocol ?? {},
      ...(call.specification ? { specification: call.specification } : {}),
      setup: {
        ...setup,
        ...(flags.momentum === undefined ? {} : { momentum: flags.momentum }),
        ...(flags.weightDecay === undefined ? {} : { weightDecay: flags.weightDecay }),
      },
    });
    await checkProtocol(kind, experiment);
    await call.check?.(setup);
    await rememberPlaces(call, experiment);
    const decision =
      call.convolutions ?? (await chooseConvolutions(setup, arms, { flags, terminal, signal }));
    return await use({
      spec: { ...spec, training: { ...spec.training, ...decision } },
      setup: { ...setup, ...decision },
      experiment,
      progress,
    });
  } finally {
    progress.stop();
    dataset.close();
  }
}

/** What was taken from the file, and what was not. */
function describePretrained({ source, tensors, replaced }: PretrainedWeights): string {
  const taken = `weights of ${source}: ${plural(tensors.size, "tensor")}`;
  return replaced.length === 0
    ? taken
    : `${taken}; the last layer has another width there, and begins anew (${replaced.join(", ")})`;
}

/** Which parameters are trained, and what becomes of the statistics of the others. */
const describeFreezing = ({ trainFrom, frozenBatchNorm, unfreeze = [] }: TrainingSetup): string =>
  `trained: ${trainFrom === "head" ? "the last layer" : `${trainFrom} and what follows`}${unfreeze.map(({ from, epoch }) => `, from epoch ${epoch} on ${from === "all" ? "everything" : from}`).join("")}; all before is frozen${frozenBatchNorm === "train" ? ", but for the statistics of its batch norms" : ""} (--train-from all trains everything)`;

/** What the feature cache holds, and what it cost. */
const describeFeatures = ({ views, bytes, seconds, found }: Features): string =>
  `features of the frozen part: ${plural(views, "view")} of each training image, ${mebibytes(bytes)}; ${found ? "from the cache, where making them took" : "made in"} ${duration(seconds)}`;

const setupSpec = (
  { kind, source, flags, modelOptions }: Omit<ExperimentCall, "work">,
  threads: number,
): SetupSpec => ({
  source,
  data: {
    validation: flags.validation,
    splitSeed: flags.splitSeed,
    augment: flags.augment,
    ...(flags.test === undefined ? {} : { test: flags.test }),
    ...(flags.size === undefined ? {} : { size: flags.size }),
    ...(flags.limit === undefined ? {} : { limit: flags.limit }),
  },
  model: flags.model,
  ...(modelOptions ? { modelOptions } : {}),
  ...(flags.pretrained === undefined ? {} : { pretrained: flags.pretrained }),
  ...(flags.cacheFeatures === undefined ? {} : { cacheFeatures: flags.cacheFeatures }),
  training: {
    threads,
    batch: flags.batch,
    accumulate: flags.accumulate,
    dropLast: flags.dropLast,
    labelSmoothing: flags.labelSmoothing,
    ...(flags.precision === "fp32" ? {} : { precision: flags.precision }),
    ...(flags.classWeights === undefined ? {} : { classWeights: flags.classWeights }),
    ...(flags.clip === undefined ? {} : { clip: flags.clip }),
    ...(flags.trainFrom === undefined ? {} : { trainFrom: flags.trainFrom }),
    ...(flags.unfreeze === undefined ? {} : { unfreeze: flags.unfreeze }),
    ...(flags.frozenBatchNorm === undefined ? {} : { frozenBatchNorm: flags.frozenBatchNorm }),
    ...updateOptions(kind, flags),
  },
});

/** The images for the report, where they are wanted and not there. */
async function keepSamples(
  { dataset }: TrainingSetup,
  { seed, samples }: Pick<ExperimentFlags, "seed" | "samples">,
  directory: RunDirectory,
): Promise<void> {
  const { collectSamples, hasSamples, writeSamples } = await import("./artefacts/samples.ts");
  if (!samples || hasSamples(directory.path)) return;
  const collected = await collectSamples(dataset, seed);
  if (collected.length > 0) writeSamples(directory, collected);
}

/** The work, and then all that follows from its records, whether it was done or interrupted. */
export async function recordedWork(
  call: Pick<ExperimentCall, "context" | "work"> & {
    readonly flags: Pick<ExperimentFlags, "seed" | "samples" | "png">;
  },
  opened: Omit<OpenedExperiment, "progress"> & { progress: Progress },
): Promise<FinishedExperiment> {
  const { setup, directory, progress } = opened;
  const { terminal, signal } = call.context;
  const { deriveResults, recordedOptions } = await import("./derive.ts");
  const options = { ...recordedOptions(opened.experiment), png: call.flags.png };
  try {
    await keepSamples(setup, call.flags, directory);
    await call.work({ ...opened, progress: progress.onEvent });
    progress.stop();
    await sweepFinished(directory);
    const { writeConfusions } = await import("./artefacts/confusions.ts");
    await writeConfusions(opened, {
      onDamaged: (message) => terminal.note(message),
      onProgress: (done, total) => {
        const what = `the best weights of ${plural(total, "run")}`;
        progress.onEvent(versioned({ type: "data", phase: "classify", done, total, what }));
      },
    });
  } catch (error) {
    progress.stop();
    if (error instanceof InterruptedError || signal.aborted) {
      const { report } = await deriveResults(directory, { ended: false, options });
      terminal.note(
        report
          ? `records so far: ${directory.path}; their report: ${report}`
          : `records so far: ${directory.path}; nothing in them to report yet`,
      );
      const { kind, specification } = opened.experiment;
      if (specification)
        terminal.note(
          `to go on: lrscope ${kind === "train" ? "train" : "compare"} --resume ${directory.path}`,
        );
    }
    throw error;
  }
  progress.stop();
  const { run, report } = await deriveResults(directory, { ended: true, options });
  return { path: directory.path, report: report ?? "", run };
}

/** Takes away what trials that ended, and processes that were killed, have left in the directory. */
export async function sweepFinished({ path }: RunDirectory): Promise<void> {
  const { readRun, sweepRun } = await import("../store/index.ts");
  const { isFinished } = await import("../train/trial-state.ts");
  const finished = readRun(path).trials.filter(({ trial }) => isFinished(trial));
  sweepRun(path, new Set(finished.map(({ trial }) => `${trial.slug}-${trial.seed}`)));
}
