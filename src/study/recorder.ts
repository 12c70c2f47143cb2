/** @file Appends what the lab says to a run directory. */

import { armSlug } from "../arms/arms.ts";
import { sealed } from "../files/seal.ts";
import { encodeSafetensors } from "../formats/index.ts";
import {
  type RunDirectory,
  removeCheckpoints,
  replaceFile,
  writeCheckpoint,
} from "../store/index.ts";
import type { LabListener } from "../train/events.ts";
import { isFinished } from "../train/trial-state.ts";

/** A listener that writes a whole experiment as it comes: recordTrial's files, and the first plan. */
export function recordRun(directory: RunDirectory): LabListener {
  const record = recordTrial(directory);
  let planned = false;
  return (event) => {
    if (event.type !== "plan") return record(event);
    if (!planned) directory.writePlan(event.plan);
    planned = true;
  };
}

/** A listener that writes range tests, trials, metrics, logs, weights and checkpoints as they come. */
export function recordTrial(directory: RunDirectory): LabListener {
  const log = (slug: string, seed: number, text: string) =>
    directory.appendLog(slug, seed, `${new Date().toISOString()} ${text}`);
  const slugs = new Map<string, string>();

  return (event) => {
    switch (event.type) {
      case "range-test-finished":
        directory.writeRangeTest(armSlug(event.arm), event.record);
        return;
      case "trial-started": {
        const { trial } = event;
        slugs.set(trial.arm, trial.slug);
        directory.writeTrial(trial);
        log(trial.slug, trial.seed, `started; learning rate from ${trial.learningRateSource}`);
        return;
      }
      case "epoch": {
        const slug = slugs.get(event.arm) ?? armSlug(event.arm);
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
        log(slugs.get(event.arm) ?? armSlug(event.arm), event.seed, event.message);
        return;
      case "weights": {
        const { trial, which } = event;
        const path = directory.trialFile(trial.slug, trial.seed, `${which}.safetensors`);
        replaceFile(path, encodeSafetensors(sealed(event.read())));
        return;
      }
      case "checkpoint": {
        const { slug, seed } = event.trial;
        writeCheckpoint(directory.checkpoints(slug, seed), {
          record: event.record,
          weights: encodeSafetensors(event.read()),
        });
        return;
      }
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
