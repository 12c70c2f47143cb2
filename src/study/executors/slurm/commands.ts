/** @file Slurm's own commands, and what they answer: submitted, listed, ended. */

import { execFile, spawnSync } from "node:child_process";
import { ArgumentError, codeOf } from "../../../core/errors.ts";
import { answerOf, refusedTasks, type SlurmAnswer, wordsOf } from "./refusals.ts";

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

/**
 * Indices that an array may have: MaxArraySize of the cluster, 1001 where it does not say.
 * @throws ArgumentError where Slurm does not answer: nothing has been given to it yet
 */
export async function mostInArray(): Promise<number> {
  try {
    const said = await slurmCommand("scontrol", ["show", "config"]);
    return Number(/^MaxArraySize\s*=\s*(\d+)/m.exec(said)?.[1] ?? 1001);
  } catch (error) {
    if (!(error instanceof SlurmError)) throw error;
    throw new ArgumentError(
      `--executor slurm: Slurm must answer where the study is begun, and scontrol said: ${wordsOf(error.message)}; see whether its controller runs (scontrol ping), and begin again`,
    );
  }
}

/** What became of tasks that were given to Slurm: their job's number, or why they have to wait, in its words. */
export type Submitted =
  | { readonly job: string }
  | { readonly wait: Exclude<SlurmAnswer, "refused">; readonly said: string };

/** @throws LrscopeError with Slurm's words, where waiting does not help */
export async function submitArray(
  script: string,
  args: readonly string[],
  about: Parameters<typeof refusedTasks>[1],
): Promise<Submitted> {
  try {
    const said = await slurmCommand("sbatch", ["--parsable", ...args, ...about.options], script);
    const job = said.trim().split(";")[0] ?? "";
    if (!/^\d+$/.test(job)) throw new SlurmError(`sbatch said ${JSON.stringify(said.trim())}`);
    return { job };
  } catch (error) {
    if (!(error instanceof SlurmError)) throw error;
    const wait = answerOf(error.message);
    if (wait === "refused") throw refusedTasks(error.message, about);
    return { wait, said: wordsOf(error.message) };
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

/** What a task waits for as others do: its turn. Any other reason somebody may have to do something about. */
const USUAL = new Set([
  ...["", "None", "Priority", "Resources", "BeginTime", "Prolog", "Dependency"],
  ...["JobArrayTaskLimit", "Reservation", "Cleaning"],
]);

/** Why it waits where that may need somebody: "QOSMaxJobsPerUserLimit", "JobHeldUser"; null of others. */
export const unusualReason = ({ state, reason }: ListedTask): string | null =>
  state === "PENDING" && !USUAL.has(reason) ? reason : null;

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
