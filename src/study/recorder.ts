/** @file Appends what training emits to a run directory: events as records and logs, weights and checkpoints as files. */

import { armSlug } from "../arms/arms.ts";
import { sealedInParts } from "../files/seal.ts";
import { inParts, safetensorsInParts } from "../formats/index.ts";
import { NO_PROGRESS, progress, type StudyListener, subjectKey, trialIn } from "../record/index.ts";
import {
  type RunDirectory,
  removeCheckpoints,
  replaceFileInParts,
  writeCheckpointInParts,
} from "../store/index.ts";
import { isFinished } from "../train/trial-state.ts";
import type { WeightsSink } from "../train/weights-sink.ts";
import { writePlan } from "./recorded-plan.ts";

/** What `fit`, `rangeTest` and `compare` take of a recorder: `{ ...options, ...recordRun(directory) }`. */
export interface Recorder {
  readonly onEvent: StudyListener;
  readonly sink: WeightsSink;
}

/** Writes a whole experiment as it comes: recordTrial's files, and the first plan. */
export function recordRun(directory: RunDirectory): Recorder {
  const { onEvent, sink } = recordTrial(directory);
  let planned = false;
  return {
    sink,
    onEvent(event) {
      if (event.type !== "plan") return onEvent(event);
      if (!planned) writePlan(directory, event.plan);
      planned = true;
    },
  };
}

/** Writes range tests, trials, metrics, logs, weights and checkpoints as they come. */
export const recordTrial = (directory: RunDirectory): Recorder => ({
  onEvent: recordEvents(directory),
  sink: weightsFiles(directory),
});

function recordEvents(directory: RunDirectory): StudyListener {
  let state = NO_PROGRESS;
  const slugOf = (subject: { arm: string; seed: number }) =>
    trialIn(state, subjectKey(subject))?.trial.slug ?? armSlug(subject.arm);
  const log = (slug: string, seed: number, text: string) =>
    directory.appendLog(slug, seed, `${new Date().toISOString()} ${text}`);

  return (event) => {
    // Nothing is written of an update.
    if (event.type === "update" || event.type === "range-test-update") return;
    state = progress(state, event);
    switch (event.type) {
      case "range-test-finished":
        directory.writeRangeTest(armSlug(event.arm), event.record);
        return;
      case "trial-started": {
        const { trial } = event;
        directory.writeTrial(trial);
        log(trial.slug, trial.seed, `started; learning rate from ${trial.learningRateSource}`);
        return;
      }
      case "epoch": {
        const slug = slugOf(event);
        directory.appendMetrics(slug, event.seed, event.metrics);
        const { epoch, trainLoss, validationAccuracy, diverged } = event.metrics;
        log(
          slug,
          event.seed,
          diverged
            ? `epoch ${epoch}: the loss stopped being finite`
            : `epoch ${epoch}: training loss ${trainLoss?.toFixed(4)}, ${validationAccuracy === null ? "not validated" : `validation accuracy ${validationAccuracy.toFixed(4)}`}`,
        );
        return;
      }
      case "warning":
        log(slugOf(event), event.seed, event.message);
        return;
      case "trial-finished": {
        const { trial } = event;
        directory.writeTrial(trial);
        log(
          trial.slug,
          trial.seed,
          trial.failure ?? [...new Set([trial.status, trial.endedBy ?? trial.status])].join(", "),
        );
        if (isFinished(trial)) removeCheckpoints(directory.checkpoints(trial.slug, trial.seed));
        return;
      }
    }
  };
}

function weightsFiles(directory: RunDirectory): WeightsSink {
  const written = {
    async weightsInParts({ which, trial, weights }) {
      const path = directory.trialFile(trial.slug, trial.seed, `${which}.safetensors`);
      await replaceFileInParts(path, safetensorsInParts(await sealedInParts(weights)));
    },
    checkpointInParts: ({ trial, record, weights }) =>
      writeCheckpointInParts(directory.checkpoints(trial.slug, trial.seed), {
        record,
        parts: safetensorsInParts(weights),
      }),
  } satisfies WeightsSink;
  return {
    ...written,
    weights: (kept) => written.weightsInParts({ ...kept, weights: inParts(kept.weights) }),
    checkpoint: (kept) => written.checkpointInParts({ ...kept, weights: inParts(kept.weights) }),
  };
}
