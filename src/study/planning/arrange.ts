/** @file How the runs of a study share this machine, where nobody said: their number, and the cores of each. */

import { freemem } from "node:os";
import { optimizerOf, specOf } from "../../arms/trials.ts";
import { at } from "../../core/at.ts";
import { DEFAULT_ENGINE, openBackend } from "../../engine/native/engines.ts";
import type { ArmRecord, StudySpec } from "../../record/index.ts";
import type { TrainingSetup } from "../../train/options.ts";
import { planOf } from "../../train/plan.ts";
import { needsThisProcess } from "../own-code/arm-objects.ts";
import { chooseJobs } from "./choose-jobs.ts";

export interface Arranged {
  /** With the runs at a time, and the cores of each. */
  readonly spec: StudySpec;
  readonly setup: TrainingSetup;
  /** A clause for people; null where there was nothing to choose. */
  readonly whyJobs: string | null;
}

/** @param setup with all cores */
export async function arrange(
  spec: StudySpec,
  setup: TrainingSetup,
  arms: readonly ArmRecord[],
): Promise<Arranged> {
  const { backend, threads: cores = backend.threads } = setup;
  const runs = needsThisProcess(arms) ? 1 : arms.length * spec.seeds.length;
  const { jobs, threads, why } = chooseJobs({
    ...{ runs, cores, freeBytes: freeBytes() },
    bytesOfRun: runs > 1 && cores > 1 ? bytesOfRun(spec, setup, arms) : 0,
    isTimed: spec.time !== undefined || spec.answers.profile,
  });
  const own = threads === cores ? backend : await openBackend(DEFAULT_ENGINE, { threads });
  return {
    spec: { ...spec, jobs, threads },
    setup: { ...setup, threads, backend: own },
    whyJobs: why,
  };
}

/** Compiles a step, of which nothing is trained. */
function bytesOfRun(spec: StudySpec, setup: TrainingSetup, arms: readonly ArmRecord[]): number {
  const optimizer = specOf(optimizerOf(at(arms, 0, "arms"), spec));
  const { persistentBytes, arenaBytes } = planOf(setup, optimizer).memory;
  // Another arm's optimizer may keep more for each weight than the first one's.
  return arenaBytes + 2 * persistentBytes;
}

/** What the machine has free, or what is left of the bound that a container sets. */
function freeBytes(): number {
  const bound = process.constrainedMemory();
  const left = bound > 0 ? bound - process.memoryUsage().rss : Number.POSITIVE_INFINITY;
  return Math.min(freemem(), Math.max(0, left));
}
