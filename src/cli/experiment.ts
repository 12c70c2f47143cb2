/**
 * @file What find, train, compare and demo share: from flags to a data set, a network, an engine and
 * a run directory; then the work; then the report. Everything that can be refused is refused before
 * the long work begins, and a run that is interrupted leaves its records and a report of them.
 */

import { ArgumentError, InterruptedError } from "../core/errors.ts";
import type { Dataset } from "../data/types.ts";
import type { LabListener, TrainingSetup } from "../lab/index.ts";
import type { ArmRecord, ExperimentRecord } from "../record/index.ts";
import type { Run, RunDirectory } from "../store/index.ts";
import { describeBroken } from "./broken-files.ts";
import { defaultOut } from "./default-out.ts";
import type { CommandContext, FlagValues } from "./define-command.ts";
import type { outFlag, samplesFlag, trainingFlags } from "./flags.ts";
import { count } from "./format.ts";
import { openProgress } from "./progress.ts";

export type ExperimentFlags = FlagValues<
  typeof trainingFlags & typeof outFlag & typeof samplesFlag
>;

export interface ExperimentCall {
  readonly kind: ExperimentRecord["kind"];
  readonly source: string;
  readonly flags: ExperimentFlags;
  readonly context: Pick<CommandContext<Record<string, never>>, "terminal" | "signal">;
  readonly arms: readonly ArmRecord[];
  readonly epochs: number;
  readonly seeds: readonly number[];
  /** Of the network's family: widths, hidden. */
  readonly modelOptions?: { readonly widths?: readonly number[]; readonly hidden?: number };
  /** The long work; its records go through `directory`. */
  work(opened: OpenedExperiment): Promise<void>;
}

export interface OpenedExperiment {
  readonly setup: TrainingSetup;
  readonly directory: RunDirectory;
  readonly experiment: ExperimentRecord;
  /** Draws the bar; give it to the lab beside the recorder. */
  readonly progress: LabListener;
}

export interface FinishedExperiment {
  readonly path: string;
  readonly report: string;
  readonly run: Run;
}

/** @throws LrscopeError; an InterruptedError after records and report are written */
export async function runExperiment(call: ExperimentCall): Promise<FinishedExperiment> {
  const { flags, context, kind, arms, epochs, seeds } = call;
  const { terminal, signal } = context;
  const { checkRunDirectory, createRunDirectory } = await import("../store/index.ts");
  const path = flags.out ?? defaultOut(kind, call.source);
  checkRunDirectory(path);
  checkPrecision(kind, flags.precision);
  const { loadModel } = await import("./model.ts");
  // Made once with stand-in sizes, so that an unknown model or a size that pooling reduces to
  // nothing is refused before anything is decoded.
  const buildModel = await loadModel(flags.model, call.modelOptions);
  buildModel({ classes: 2, channels: 3, size: flags.size ?? 512 });
  const { nativeBackend } = await import("../runtime/native/index.ts");
  const backend = nativeBackend(flags.threads === undefined ? {} : { threads: flags.threads });
  const progress = openProgress(terminal);
  const dataset = await openSource(call, progress.data).finally(() => progress.stop());
  try {
    const { record } = dataset;
    terminal.note(
      `${record.name}: ${count(record.images)} images at ${record.size}x${record.size} in ${record.classes.length} classes; ${count(dataset.train.length)} to train, ${count(dataset.validation.length)} to validate`,
    );
    for (const line of describeBroken(record.broken, { limit: 20 })) terminal.note(line);
    const network = buildModel({
      classes: dataset.classes.length,
      channels: dataset.channels,
      size: dataset.size,
    });
    const { describeExperiment } = await import("../lab/index.ts");
    const setup: TrainingSetup = {
      dataset,
      network,
      backend,
      signal,
      batch: flags.batch,
      dropLast: flags.dropLast,
      labelSmoothing: flags.labelSmoothing,
      ...(flags.threads === undefined ? {} : { threads: flags.threads }),
      ...(flags.clip === undefined ? {} : { clip: flags.clip }),
    };
    const experiment = describeExperiment({
      kind,
      arms,
      epochs,
      seeds,
      validation: flags.validation,
      splitSeed: flags.splitSeed,
      precision: flags.precision,
      setup: {
        ...setup,
        ...(flags.momentum === undefined ? {} : { momentum: flags.momentum }),
        ...(flags.weightDecay === undefined ? {} : { weightDecay: flags.weightDecay }),
      },
    });
    const directory = createRunDirectory(path, experiment);
    terminal.note(`records go to ${path}`);
    return await recordedWork(call, { dataset, setup, directory, experiment, progress });
  } finally {
    progress.stop();
    dataset.close();
  }
}

async function recordedWork(
  call: ExperimentCall,
  opened: Omit<OpenedExperiment, "progress"> & {
    dataset: Dataset;
    progress: ReturnType<typeof openProgress>;
  },
): Promise<FinishedExperiment> {
  const { directory, dataset, progress } = opened;
  const { terminal, signal } = call.context;
  const { writeReport } = await import("./write-report.ts");
  const { collectSamples, writeSamples } = await import("./samples.ts");
  const samples = call.flags.samples ? await collectSamples(dataset, call.flags.seed) : [];
  if (samples.length > 0) writeSamples(directory, samples);
  try {
    await call.work({ ...opened, progress: progress.lab });
  } catch (error) {
    progress.stop();
    if (error instanceof InterruptedError || signal.aborted) {
      const { report } = await writeReport(directory, samples);
      terminal.note(
        report
          ? `records so far: ${directory.path}; their report: ${report}`
          : `records so far: ${directory.path}; nothing in them to report yet`,
      );
    }
    throw error;
  }
  progress.stop();
  const { run, report } = await writeReport(directory, samples);
  return { path: directory.path, report: report ?? "", run };
}

async function openSource(
  { source, flags, context }: ExperimentCall,
  onProgress: ReturnType<typeof openProgress>["data"],
): Promise<Dataset> {
  const { openDataset } = await import("../data/index.ts");
  return openDataset(source, {
    validation: flags.validation,
    splitSeed: flags.splitSeed,
    augment: flags.augment,
    signal: context.signal,
    onProgress,
    ...(flags.size === undefined ? {} : { size: flags.size }),
    ...(flags.limit === undefined ? {} : { limit: flags.limit }),
    ...(flags.threads === undefined ? {} : { threads: flags.threads }),
  });
}

function checkPrecision(kind: string, precision: "fp32" | "bf16"): void {
  if (precision !== "fp32")
    throw new ArgumentError(
      `${kind}: --precision ${precision} is not available in this version of lrscope; leave it out for fp32`,
    );
}
