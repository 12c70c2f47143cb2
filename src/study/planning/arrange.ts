/** @file How the runs of a study share this machine, where nobody said: their number, and the cores of each. */

import { freemem } from "node:os";
import { optimizerOf, specOf } from "../../arms/trials.ts";
import { at } from "../../core/at.ts";
import { DEFAULT_ENGINE, openBackend } from "../../engine/native/engines.ts";
import type { Backend } from "../../program/index.ts";
import type { ArmRecord, StudySpec } from "../../record/index.ts";
import type { TrainingSetup } from "../../train/options.ts";
import { planOf } from "../../train/plan.ts";
import { needsThisProcess } from "../own-code/arm-objects.ts";
import { chooseJobs, type JobsChoice } from "./choose-jobs.ts";

/** Compiles a step to see what memory a run takes; nothing is trained. */
export async function arrange({
  spec,
  setup,
  arms,
}: {
  readonly spec: StudySpec;
  /** With all cores. */
  readonly setup: TrainingSetup;
  readonly arms: readonly ArmRecord[];
}): Promise<JobsChoice & { readonly backend: Backend }> {
  const { backend, threads: cores = backend.threads } = setup;
  const { persistentBytes, arenaBytes } = planOf(
    setup,
    specOf(optimizerOf(at(arms, 0, "arms"), spec)),
  ).memory;
  const choice = chooseJobs({
    ...{ runs: needsThisProcess(arms) ? 1 : arms.length * spec.seeds.length, cores },
    // Another arm's optimizer may keep more for each weight than the first one's.
    bytesOfRun: arenaBytes + 2 * persistentBytes,
    freeBytes: freeBytes(),
    isTimed: spec.time !== undefined || spec.answers.profile,
  });
  const { threads } = choice;
  return {
    ...choice,
    backend: threads === cores ? backend : await openBackend(DEFAULT_ENGINE, { threads }),
  };
}

/** What the machine has free, or what is left of the bound that a container sets. */
function freeBytes(): number {
  const bound = process.constrainedMemory();
  const left = bound > 0 ? bound - process.memoryUsage().rss : Number.POSITIVE_INFINITY;
  return Math.min(freemem(), Math.max(0, left));
}
