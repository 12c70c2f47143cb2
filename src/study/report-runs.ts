/** @file A report of run directories: of one, rendered again; of several, joined or set side by side. */

import { summarize } from "../analysis/index.ts";
import { at } from "../core/at.ts";
import type { ExperimentRecord, SummaryRecord } from "../record/index.ts";
import { checkRunDirectory, openRunDirectory, readRun } from "../store/index.ts";
import { confusionsFrom, readConfusions } from "./artefacts/confusions.ts";
import { readSamples } from "./artefacts/samples.ts";
import { renderInto, withLogs } from "./artefacts/write-report.ts";
import { writeTensorboard } from "./artefacts/write-tensorboard.ts";
import { freeFolder, timeStamp } from "./default-out.ts";
import { type DeriveOptions, recordedOptions, renderRun, wantedOptions } from "./derive.ts";
import { checkProtocol, following, type ProtocolName, publishedOf } from "./protocols.ts";
import { joinConfusions } from "./runs/join-runs.ts";
import { mergeRuns } from "./runs/merge-runs.ts";

export interface ReportRunsOptions extends DeriveOptions {
  /** Folder for the report; default the directory itself, of several ./lrscope-runs/report-<time>. */
  readonly out?: string | undefined;
  /** Sample images in the report; default true. */
  readonly samples?: boolean | undefined;
  /** The published study that the runs are said to follow. */
  readonly protocol?: ProtocolName | undefined;
  /** Told in what runs differ, and what was left out. */
  readonly onNote?: (note: string) => void;
}

export interface ReportedRuns {
  /** Path of the page. */
  readonly report: string;
  readonly directory: string;
  readonly experiment: ExperimentRecord;
  /** null where nothing was trained. */
  readonly summary: SummaryRecord | null;
  /** Folder of TensorBoard's event files; null where they were not asked for. */
  readonly events: string | null;
}

/**
 * Renders run directories again, from their records alone.
 * @throws StoreError, exit code 2, for records that cannot be read, or runs on different data
 */
export async function reportRuns(
  paths: readonly string[],
  options: ReportRunsOptions = {},
): Promise<ReportedRuns> {
  const runs = paths.map((path) => {
    const run = readRun(path);
    return { path, run: { ...run, trials: withLogs(path, run.trials) }, recorded: run };
  });
  const [first] = runs;
  const single = first && runs.length === 1 ? first : null;
  const {
    run: recordedRun,
    notes,
    joined,
    experiments,
  } = single ? { run: single.run, notes: [], joined: false, experiments: [] } : mergeRuns(runs);
  const run = following(recordedRun, options.protocol);
  await checkProtocol("report", run.experiment);
  const out = options.out ?? single?.path ?? freeFolder(`lrscope-runs/report-${timeStamp()}`);
  const inPlace = single !== null && options.out === undefined;
  if (!inPlace) checkRunDirectory(out);
  const samples = (options.samples ?? true) ? readSamples(at(paths, 0, "paths")) : [];
  const ofEach = runs.map(({ path, recorded }) =>
    readConfusions(path, recorded, options.samples ?? true),
  );
  const confusions = joined
    ? joinConfusions(ofEach.flat())
    : ofEach.flatMap((own, i) =>
        own.map((entry) => ({
          ...entry,
          arm: experiments[i] ? `${experiments[i].name}: ${entry.arm}` : entry.arm,
        })),
      );
  const directory = openRunDirectory(out);
  for (const note of notes) options.onNote?.(note);
  for (const { path, recorded } of runs)
    if (confusionsFrom(path, recorded) === "other")
      options.onNote?.(
        `${path}/confusions.json is of earlier records, and left out; --resume makes it again`,
      );
  const measured = run.trials.some(({ metrics }) => metrics.length > 0);
  // What a run was asked for when it began, its report answers too.
  const begun = single ? recordedOptions(run.experiment) : {};
  const asked = {
    targets: options.targets ?? begun.targets,
    profile: options.profile || begun.profile,
    png: options.png || begun.png,
    tensorboard: options.tensorboard || begun.tensorboard,
  };
  const {
    targets,
    profile = false,
    png,
    tensorboard,
  } = inPlace ? wantedOptions(out, asked) : { ...asked, tensorboard: options.tensorboard ?? false };
  const summarized = measured
    ? summarize(run.experiment, run.trials, {
        profile,
        oneProtocol: notes.length === 0,
        ...(await publishedOf(run.experiment, run.trials)),
        ...(targets ? { targets } : {}),
      })
    : null;
  const summary =
    summarized && notes.length > 0
      ? { ...summarized, notes: [...notes, ...(summarized.notes ?? [])] }
      : summarized;
  const input = { ...run, summary, samples, experiments, confusions };
  const path = inPlace
    ? await renderRun(directory, input, { png })
    : (await renderInto(directory, input, { png: png ?? false })).report;
  if (summary) directory.writeSummary(summary);
  const events = tensorboard ? writeTensorboard(directory, run) : null;
  return { report: path, directory: out, experiment: run.experiment, summary, events };
}
