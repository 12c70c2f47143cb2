/** @file A run directory of records that were never measured, for a server to show. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import type { ExperimentRecord, TrialHistory } from "../../src/record/index.ts";
import { createRunDirectory, type RunDirectory } from "../../src/store/index.ts";
import { fakeConfusions, fakeSamples } from "../report/fake-records.ts";

/** A folder of the test's own. */
export function folderOfRuns(): () => string {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "lrscope-server-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return () => folder;
}

/** Writes records as a study does. */
export function writeRun(
  path: string,
  { experiment, trials }: { experiment: ExperimentRecord; trials: readonly TrialHistory[] },
): RunDirectory {
  const directory = createRunDirectory(path, experiment);
  for (const { trial, metrics } of trials) {
    directory.writeTrial(trial);
    directory.appendLog(trial.slug, trial.seed, `began with ${trial.learningRateSource}`);
    for (const line of metrics) directory.appendMetrics(trial.slug, trial.seed, line);
  }
  return directory;
}

/** Gives a run the photos, and the confusions with photos, that a study keeps. */
export function writePhotos(directory: RunDirectory): void {
  directory.writeText("samples.json", JSON.stringify({ formatVersion: 1, samples: fakeSamples() }));
  directory.writeText(
    "confusions.json",
    JSON.stringify({ formatVersion: 1, arms: fakeConfusions() }),
  );
}
