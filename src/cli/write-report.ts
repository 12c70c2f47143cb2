/** @file From the records of a run directory to report.html and figures/*.svg within it. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { shareable } from "../files/machine-folders.ts";
import { type ReportInput, type ReportTrial, renderReport } from "../report/index.ts";
import {
  metricsCsv,
  type RecordedTrial,
  type Run,
  type RunDirectory,
  readRun,
} from "../store/index.ts";
import { readConfusions } from "./confusions.ts";

export interface ReportOptions {
  /** Figures as PNG too. */
  readonly png?: boolean;
}

/** Reads the records again: the report shows what is on the disk, no more and no less. */
export async function writeReport(
  directory: RunDirectory,
  samples: ReportInput["samples"],
  options: ReportOptions = {},
): Promise<{ run: Run; report: string | null }> {
  const run = readRun(directory.path);
  const empty =
    run.rangeTests.length === 0 && run.trials.every(({ metrics }) => metrics.length === 0);
  const input = {
    ...run,
    trials: withLogs(directory.path, run.trials),
    samples,
    confusions: readConfusions(directory.path, samples.length > 0),
  };
  return { run, report: empty ? null : await renderInto(directory, input, options) };
}

/** Renders any records into a directory, metrics.csv with them. @returns the report's path */
export async function renderInto(
  directory: RunDirectory,
  input: ReportInput,
  { png = false }: ReportOptions = {},
): Promise<string> {
  const { html, figures } = await renderReport(input);
  for (const [name, svg] of Object.entries(figures)) directory.writeText(`figures/${name}`, svg);
  if (png) await writePngs(directory, figures);
  directory.writeText("report.html", html);
  if (input.trials.length > 0) directory.writeText("metrics.csv", metricsCsv(input.trials));
  return join(directory.path, "report.html");
}

async function writePngs(
  directory: RunDirectory,
  figures: Readonly<Record<string, string>>,
): Promise<void> {
  const { figurePng } = await import("./figure-pngs.ts");
  for (const [name, svg] of Object.entries(figures))
    directory.writeBytes(`figures/${name.replace(/\.svg$/, ".png")}`, await figurePng(svg));
}

/** Lines of its log that the report quotes of a trial that did not end well. */
const TAIL = 8;

/** The trials of a run directory, with the ends of the logs of those that did not end well. */
export const withLogs = (path: string, trials: readonly RecordedTrial[]): ReportTrial[] =>
  trials.map((recorded) => {
    const { trial } = recorded;
    const clean = (text: string) => shareable(text, path);
    // lrscope 0.1 recorded a foreign error's message as it was.
    const entry = trial.failure
      ? { ...recorded, trial: { ...trial, failure: clean(trial.failure) } }
      : recorded;
    const file = join(path, "trials", `${trial.slug}-${trial.seed}`, "log.txt");
    if (trial.status === "done" || !existsSync(file)) return entry;
    const lines = readFileSync(file, "utf8").split("\n");
    const tail = lines.filter((line) => line.trim() !== "").slice(-TAIL);
    return { ...entry, logTail: tail.map(clean) };
  });
