/** @file From the records of a run directory to report.html and figures/*.svg within it. */

import { join } from "node:path";
import { type ReportInput, renderReport } from "../report/index.ts";
import { metricsCsv, type Run, type RunDirectory, readRun } from "../store/index.ts";

/** Reads the records again: the report shows what is on the disk, no more and no less. */
export async function writeReport(
  directory: RunDirectory,
  samples: ReportInput["samples"],
): Promise<{ run: Run; report: string | null }> {
  const run = readRun(directory.path);
  const empty =
    run.rangeTests.length === 0 && run.trials.every(({ metrics }) => metrics.length === 0);
  return { run, report: empty ? null : await renderInto(directory, run, samples) };
}

/** Renders any records into a directory, metrics.csv with them. @returns the report's path */
export async function renderInto(
  directory: RunDirectory,
  run: Run,
  samples: ReportInput["samples"],
): Promise<string> {
  const { html, figures } = await renderReport({ ...run, samples });
  for (const [name, svg] of Object.entries(figures)) directory.writeText(`figures/${name}`, svg);
  directory.writeText("report.html", html);
  if (run.trials.length > 0) directory.writeText("metrics.csv", metricsCsv(run.trials));
  return join(directory.path, "report.html");
}
