/**
 * @file A task by its file alone, in a run directory that this machine sees: what the file does not say is in
 * the folder's records, and where data, network and weights lie is looked up, or said.
 */

import { dirname, join, resolve } from "node:path";
import { StoreError } from "../../core/errors.ts";
import { planRecord, type StudyEvent, type StudySpec, taskFile } from "../../record/index.ts";
import { checkAttempt, currentTask, readRecord, readRun } from "../../store/index.ts";
import { open } from "../open-study.ts";
import { findPlaces, type StudyPlaces } from "../places.ts";
import { recordedConvolutions } from "../recorded-plan.ts";
import { runTask } from "./run-task.ts";

/** Seconds: one that worked at it on another machine counts as gone 75 s after its last heartbeat. */
const PATIENCE = 90;

export interface RunTaskOptions {
  /** Where data, network and weights lie, where this machine's cache does not know it. */
  readonly places?: Partial<StudyPlaces>;
  /** The attempt that is meant; default: the one in the file. */
  readonly attempt?: number | undefined;
  /** Whether it may run by another plan than the study's: the records then say on which machine it did. */
  readonly mixed?: boolean;
  readonly onEvent?: (event: StudyEvent) => void;
  /** Ends the work after the update under way; the trial can then be resumed. */
  readonly signal?: AbortSignal;
}

/**
 * Runs tasks/<key>.json of a run directory, and writes its records there.
 * @throws StoreError where the task's attempt is not the current one, data or engine are others, or another
 *   process works at it
 * @throws ArgumentError where data, network or weights are not found
 * @throws InterruptedError where `signal` aborts
 */
export async function runTaskFile(path: string, options: RunTaskOptions = {}): Promise<void> {
  const { places: said = {}, onEvent = () => undefined } = options;
  const signal = options.signal ?? new AbortController().signal;
  const file = readRecord(path, taskFile);
  const directory = dirname(dirname(resolve(path)));
  if (currentTask(directory, file.key)?.attempt !== file.attempt)
    throw new StoreError(
      `${path}: is not tasks/${file.key}.json of a run directory; give the file that the study has written there`,
      { exitCode: 2 },
    );
  checkAttempt(directory, { key: file.key, attempt: options.attempt ?? file.attempt });
  const { experiment } = readRun(directory);
  const { specification } = experiment;
  if (!specification)
    throw new StoreError(
      `${directory}: its experiment.json does not say how the study was asked for, so that no task of it can be run; make the study again`,
      { exitCode: 2 },
    );
  const places = await findPlaces({
    call: `trial ${path}`,
    experiment,
    recorded: specification,
    said: { source: said.source, model: said.model, pretrained: said.pretrained },
  });
  const { threads } = experiment.protocol;
  const spec: StudySpec = { ...specification, threads };
  await runTask({
    ...{ path: directory, file, dataset: experiment.dataset, signal, onEvent },
    patience: PATIENCE,
    mixed: options.mixed ?? false,
    plan: readRecord(join(directory, "plan.json"), planRecord),
    async open() {
      const study = await open({
        ...{ spec, places, path: directory, isNamed: true, jobs: 1, check: false, signal },
        // The features' bits may depend on it.
        preparationThreads: experiment.features?.threads ?? threads,
        convolutions: recordedConvolutions(directory),
        sink: { event: onEvent },
      });
      const { setup } = study;
      return { setup, dataset: setup.dataset };
    },
  });
}
