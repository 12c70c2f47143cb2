/**
 * @file All that follows from a run's records, made again from the records as they are: summary, report,
 * figures, metrics.csv, TensorBoard's event files. What a run says in the end is what is said here, so
 * that one that was killed at whatever moment, and went on, says the same as one that was not.
 */

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { summarize } from "../analysis/index.ts";
import type { ExperimentRecord } from "../record/index.ts";
import { type Run, type RunDirectory, readRun } from "../store/index.ts";
import { readConfusions } from "./artefacts/confusions.ts";
import { readSamples } from "./artefacts/samples.ts";
import { renderInto, withLogs } from "./artefacts/write-report.ts";
import { readDerived, updateDerived } from "./derived-record.ts";
import { publishedOf } from "./protocols.ts";

/** What is asked of the results beside the usual; absent: off. */
export interface DeriveOptions {
  /** Validation accuracies to time the arms to; absent: chosen from the results. */
  readonly targets?: readonly number[] | undefined;
  readonly profile?: boolean | undefined;
  readonly tensorboard?: boolean | undefined;
  readonly png?: boolean | undefined;
}

/** As the call that began the experiment asked; of one that did not record it: nothing. */
export function recordedOptions({ specification }: ExperimentRecord): DeriveOptions {
  const { targets, profile, tensorboard, png } = specification?.answers ?? {};
  return { targets, profile, tensorboard, png };
}

/** The same, and what is there already: that would else be of other records than all the rest. */
export function wantedOptions(path: string, asked: DeriveOptions): DeriveOptions {
  const figures = join(path, "figures");
  const drawn = existsSync(figures) && readdirSync(figures).some((name) => name.endsWith(".png"));
  return {
    ...asked,
    png: asked.png || drawn,
    tensorboard: asked.tensorboard || existsSync(join(path, "tensorboard")),
  };
}

export interface DerivedResults {
  /** As it is on the disk; its summary as written, or null where none was. */
  readonly run: Run;
  /** Path of the page; null where there is nothing to report yet. */
  readonly report: string | null;
}

/**
 * Writes them. Records are read again: what is said is what is on the disk, no more and no less. A summary
 * is written of trials that have all ended; until then the report has one of those so far.
 * @param options default: as the experiment was asked for
 */
export async function deriveResults(
  directory: RunDirectory,
  { ended, options: asked }: { readonly ended: boolean; readonly options?: DeriveOptions },
): Promise<DerivedResults> {
  const { path } = directory;
  const read = readRun(path);
  const { experiment, trials, rangeTests } = read;
  const options = wantedOptions(path, asked ?? recordedOptions(experiment));
  const { targets, profile = false } = options;
  const soFar =
    trials.length > 0
      ? summarize(experiment, trials, {
          profile,
          ...(targets ? { targets } : {}),
          ...(await publishedOf(experiment, trials)),
        })
      : null;
  if (ended && soFar) directory.writeSummary(soFar);
  const run = { ...read, summary: ended ? soFar : null };
  if (options.tensorboard && ended) {
    const { writeTensorboard } = await import("./artefacts/write-tensorboard.ts");
    writeTensorboard(directory, run);
  }
  if (rangeTests.length === 0 && trials.every(({ metrics }) => metrics.length === 0))
    return { run, report: null };
  const samples = readSamples(path);
  const report = await renderRun(
    directory,
    {
      ...run,
      summary: soFar,
      trials: withLogs(path, trials),
      samples,
      confusions: readConfusions(path, read, samples.length > 0),
    },
    options,
  );
  return { run, report };
}

/**
 * Renders a run into its own directory, and takes away the figures of an earlier report that this one
 * does not have. @returns the report's path
 */
export async function renderRun(
  directory: RunDirectory,
  input: Parameters<typeof renderInto>[1],
  options: { readonly png?: boolean | undefined },
): Promise<string> {
  const earlier = readDerived(directory.path)?.figures ?? [];
  const { report, figures } = await renderInto(directory, input, {
    png: options.png ?? false,
    // Named before they are there: those of a process that is killed while it writes are known too.
    onFigures: (names) =>
      updateDerived(directory, { figures: [...new Set([...earlier, ...names])].sort() }),
  });
  for (const name of earlier) if (!figures.includes(name)) directory.remove(join("figures", name));
  updateDerived(directory, { figures });
  return report;
}
