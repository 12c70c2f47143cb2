/** @file From flags to who runs the runs of a study. */

import { ArgumentError } from "../core/errors.ts";
import { shellWords } from "../core/shell-words.ts";
import type { RunStudyOptions } from "../index.ts";

export interface ExecutorFlags {
  readonly executor?: string | undefined;
  readonly slurmOptions?: string | undefined;
  readonly slurmSetup?: string | undefined;
  readonly jobs?: number;
}

/**
 * Nothing where this machine runs them.
 * @throws ArgumentError for options of Slurm without Slurm, or what Slurm's options may not hold
 */
export async function executorOf(
  flags: ExecutorFlags,
  given: ReadonlySet<string>,
): Promise<Pick<RunStudyOptions, "executor">> {
  const { executor, slurmOptions, slurmSetup, jobs } = flags;
  for (const [key, value] of Object.entries({ slurmOptions, slurmSetup }))
    if (value !== undefined && executor !== "slurm")
      throw new ArgumentError(
        `compare: --${key === "slurmSetup" ? "slurm-setup" : "slurm-options"} has no effect without --executor slurm; give that, or leave it out`,
      );
  if (executor === undefined) return {};
  const { slurm } = await import("../study/executors/slurm/slurm.ts");
  return {
    executor: slurm({
      ...(slurmOptions === undefined
        ? {}
        : { options: shellWords(slurmOptions, "--slurm-options") }),
      ...(slurmSetup === undefined ? {} : { setup: slurmSetup }),
      ...(given.has("jobs") && jobs !== undefined ? { atATime: jobs } : {}),
    }),
  };
}
