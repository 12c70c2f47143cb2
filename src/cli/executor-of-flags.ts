/** @file From flags to who runs the runs of a study. */

import { ArgumentError } from "../core/errors.ts";
import { shellWords } from "../core/shell-words.ts";
import type { RunStudyOptions } from "../index.ts";

export interface ExecutorFlags {
  readonly executor?: string | undefined;
  readonly slurmOptions?: string | undefined;
  readonly slurmSetup?: string | undefined;
  readonly lease?: number | undefined;
  readonly address?: string | undefined;
  readonly mixed?: boolean;
  readonly jobs?: number;
  /** Seconds of training after which a run ends. */
  readonly time?: number | undefined;
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
  const isRedis = executor !== undefined && executor !== "slurm";
  const { lease, address } = flags;
  for (const [key, value] of Object.entries({ lease, address }))
    if (value !== undefined && !isRedis)
      throw new ArgumentError(
        `compare: --${key} has no effect without --executor redis://HOST:PORT; give that, or leave it out`,
      );
  const mixed = flags.mixed ?? false;
  if (executor === undefined) {
    if (mixed)
      throw new ArgumentError(
        "compare: --mixed has no effect without --executor, as all runs are this machine's; give that, or leave it out",
      );
    return {};
  }
  const { checkMixed } = await import("../study/executors/mixed.ts");
  checkMixed(flags);
  if (isRedis) {
    if (given.has("jobs"))
      throw new ArgumentError(
        "compare: --jobs has no effect beside a Redis, whose workers say how many runs each takes (lrscope worker --jobs N); leave it out",
      );
    const { redis } = await import("../study/executors/redis/executor.ts");
    return {
      executor: redis(executor, {
        mixed,
        ...(lease === undefined ? {} : { lease }),
        ...(address === undefined ? {} : { address }),
      }),
    };
  }
  const { slurm } = await import("../study/executors/slurm/slurm.ts");
  return {
    executor: slurm({
      mixed,
      ...(slurmOptions === undefined
        ? {}
        : { options: shellWords(slurmOptions, "--slurm-options") }),
      ...(slurmSetup === undefined ? {} : { setup: slurmSetup }),
      ...(given.has("jobs") && jobs !== undefined ? { atATime: jobs } : {}),
    }),
  };
}
