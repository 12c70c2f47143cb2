/** @file From records to report.html, figures/ and metrics.csv in a directory. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { shareable } from "../../files/machine-folders.ts";
import type { TrialHistory } from "../../record/index.ts";
import { type ReportInput, renderReport } from "../../report/index.ts";
import { metricsCsv, type RunDirectory } from "../../store/index.ts";
import { sectionsOf } from "../protocols.ts";

export interface ReportOptions {
  /** Figures as PNG too. */
  readonly png?: boolean;
  /** Told the names of the figures, "accuracy-validation.svg", before the first is written. */
  readonly onFigures?: (names: readonly string[]) => void;
}

export interface WrittenReport {
  /** Path of the page. */
  readonly report: string;
  /** Names of all files below figures/, sorted. */
  readonly figures: string[];
}

/** Renders any records into a directory, metrics.csv with them. */
export async function renderInto(
  directory: RunDirectory,
  input: ReportInput,
  { png = false, onFigures }: ReportOptions = {},
): Promise<WrittenReport> {
  const sections = await sectionsOf(input.experiment, input.summary);
  const { html, figures: drawn } = await renderReport(input, { sections });
  const figures = Object.keys(drawn)
    .flatMap((name) => (png ? [name, pngName(name)] : [name]))
    .sort();
  onFigures?.(figures);
  for (const [name, svg] of Object.entries(drawn)) directory.writeText(`figures/${name}`, svg);
  if (png) await writePngs(directory, drawn);
  directory.writeText("report.html", html);
  if (input.trials.length > 0) directory.writeText("metrics.csv", metricsCsv(input.trials));
  return { report: join(directory.path, "report.html"), figures };
}

const pngName = (svg: string) => svg.replace(/\.svg$/, ".png");

async function writePngs(
  directory: RunDirectory,
  figures: Readonly<Record<string, string>>,
): Promise<void> {
  const { figurePng } = await import("./figure-pngs.ts");
  for (const [name, svg] of Object.entries(figures))
    directory.writeBytes(`figures/${pngName(name)}`, await figurePng(svg));
}

/** Lines of its log that the report quotes of a trial that did not end well. */
const TAIL = 8;

/** The trials of a run directory, with the ends of the logs of those that did not end well. */
export const withLogs = (path: string, trials: readonly TrialHistory[]): TrialHistory[] =>
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
