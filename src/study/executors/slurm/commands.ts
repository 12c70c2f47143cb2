/** @file Slurm's own commands, and what they answer: submitted, listed, ended. */

import { execFile, spawnSync } from "node:child_process";
import { ArgumentError, codeOf, LrscopeError } from "../../../core/errors.ts";

/** Bytes of an answer: a hundred thousand tasks are a few megabytes. */
const MOST_OUTPUT = 1 << 28;

/** What a command said, where it failed. */
export class SlurmError extends Error {}

/** @throws SlurmError with what the command said; ArgumentError where there is no such command */
export function slurmCommand(name: string, args: readonly string[], input = ""): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      name,
      args,
      { maxBuffer: MOST_OUTPUT, encoding: "utf8" },
      (error, stdout, stderr) => {
        if (!error) resolve(stdout);
        else if (codeOf(error) === "ENOENT")
          reject(
            new ArgumentError(
              `--executor slurm: there is no ${name} on this machine; begin the study on a node from which jobs are submitted, or leave --executor out`,
            ),
          );
        else reject(new SlurmError(stderr.trim() || error.message));
      },
    );
    // It may have ended without reading all.
    child.stdin?.on("error", () => undefined).end(input);
  });
}

/** Indices that an array may have: MaxArraySize of the cluster, 1001 where it does not say. */
export async function mostInArray(): Promise<number> {
  const said = await slurmCommand("scontrol", ["show", "config"]);
  return Number(/^MaxArraySize\s*=\s*(\d+)/m.exec(said)?.[1] ?? 1001);
}

/** What is wrong with the cluster's limits, and passes. */
const LIMIT =
  /limit|QOSMax|QOSGrp|Assoc|too many|temporarily (unable|unavailable)|Resource temporarily/i;

/** @returns the job's number, or "limit" where the cluster takes no more for now @throws LrscopeError with Slurm's words */
export async function submitArray(
  script: string,
  options: readonly string[],
): Promise<string | "limit"> {
  try {
    const said = await slurmCommand("sbatch", ["--parsable", ...options], script);
    const job = said.trim().split(";")[0] ?? "";
    if (!/^\d+$/.test(job)) throw new SlurmError(`sbatch said ${JSON.stringify(said.trim())}`);
    return job;
  } catch (error) {
    if (!(error instanceof SlurmError)) throw error;
    if (LIMIT.test(error.message)) return "limit";
    throw new LrscopeError(
      "ARGUMENT",
      `--executor slurm: sbatch refused the study's tasks: ${error.message}; look at --slurm-options`,
      { exitCode: 2 },
    );
  }
}

/** A task of an array as squeue lists it. */
export interface ListedTask {
  /** "RUNNING" */
  readonly state: string;
  /** "JobHeldUser" */
  readonly reason: string;
  /** "n1"; "" before it runs. */
  readonly node: string;
}

/**
 * By "job_index"; null where Slurm cannot be asked just now. What ended some time ago is not in it.
 * @throws ArgumentError where there is no squeue
 */
export async function listTasks(
  jobs: readonly string[],
): Promise<ReadonlyMap<string, ListedTask> | null> {
  const found = new Map<string, ListedTask>();
  try {
    const said = await slurmCommand("squeue", [
      ...["--noheader", "--array", "--states=all", "--format=%F|%K|%T|%r|%N"],
      `--jobs=${jobs.join(",")}`,
    ]);
    for (const line of said.split("\n")) {
      const [job, index, state = "", reason = "", node = ""] = line.trim().split("|");
      if (state !== "") found.set(`${job}_${index}`, { state, reason, node });
    }
    return found;
  } catch (error) {
    if (!(error instanceof SlurmError)) throw error;
    // All of them have vanished.
    return /invalid job id/i.test(error.message) ? found : null;
  }
}

/** A task of these states will run no more, unless it is given back to the queue. */
const ENDED = new Set([
  ...["BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL"],
  ...["OUT_OF_MEMORY", "PREEMPTED", "REVOKED", "TIMEOUT"],
]);

export const hasEnded = ({ state }: ListedTask): boolean => ENDED.has(state);

/** "--signal=TERM --batch" with what they are for; a job that is not there is none. */
export async function cancelTasks(args: readonly string[]): Promise<void> {
  try {
    await slurmCommand("scancel", ["--quiet", ...args]);
  } catch (error) {
    if (!(error instanceof SlurmError)) throw error;
  }
}

/** At the end of the process, when nothing can be waited for. */
export const cancelNow = (jobs: readonly string[]): void => {
  spawnSync("scancel", ["--quiet", ...jobs], { stdio: "ignore" });
};
