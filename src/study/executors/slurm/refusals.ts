/** @file What Slurm's commands say when they do not do what they were asked: whether that passes, and what helps. */

import { LrscopeError } from "../../../core/errors.ts";
import { shellWord } from "../../../core/shell.ts";

/**
 * "limit": the cluster takes no more tasks for now; "away": nobody answers; "refused": so it is, whenever it is asked.
 */
export type SlurmAnswer = "limit" | "away" | "refused";

/** A limit of an association or a QOS, where Slurm names it: those on what is submitted pass, those on a job do not. */
const NAMED_LIMIT = /\b(?:QOS|Assoc)\w*(?:Limit|Max\w+|Min\w+)\b/;
const OF_SUBMITTED = /Submit/;
/** What Slurm says of such a limit otherwise, of a full queue, and of a controller that has too much to do. */
const PASSING =
  /violates accounting\/QOS policy|queue full|temporarily (?:unable|unavailable|disabled)/i;
const AWAY =
  /unable to contact|timed? ?out on send|connection (?:refused|timed out|reset)|communication (?:shutdown|connection) failure|zero bytes were transmitted|address already in use/i;

export function answerOf(said: string): SlurmAnswer {
  if (AWAY.test(said)) return "away";
  const named = NAMED_LIMIT.exec(said)?.[0];
  if (named !== undefined) return OF_SUBMITTED.test(named) ? "limit" : "refused";
  return PASSING.test(said) ? "limit" : "refused";
}

/** Where what a cluster has can be looked up, by what it did not take. */
const REMEDIES = [
  [/account|qos/i, "sacctmgr show associations user=$USER lists accounts and QOS that are yours"],
  [/partition/i, "sinfo --summarize lists the partitions"],
  [/time limit/i, "scontrol show partition says the longest (MaxTime)"],
  [/feature|constraint/i, "sinfo --format=%f lists the features of the nodes"],
  [/node configuration|cpu|memory/i, "sinfo --Node --long says what nodes have"],
] as const;

/** What it said, without the name of its command before each line. */
export const wordsOf = (said: string): string =>
  said
    .split("\n")
    .map((line) => line.replace(/^\w+: error: (?:Batch job submission failed: )?/, "").trim())
    .filter((line, i, all) => line !== "" && all.indexOf(line) === i)
    .join("; ");

/** @param options what the user has said of them @param path of the run directory */
export function refusedTasks(
  said: string,
  { options, path }: { readonly options: readonly string[]; readonly path: string },
): LrscopeError {
  const given =
    options.length === 0
      ? "none were given"
      : `--slurm-options ${shellWord(options.map(shellWord).join(" "))} was given`;
  const remedy =
    REMEDIES.find(([subject]) => subject.test(said))?.[1] ?? "man sbatch says what they may be";
  return new LrscopeError(
    "ARGUMENT",
    `--executor slurm: sbatch must take the study's tasks with the options that it is given, and refused them: ${wordsOf(said)}; ${given}. ${remedy}; go on with others: lrscope compare --resume ${shellWord(path)} --executor slurm --slurm-options ...`,
    { exitCode: 2 },
  );
}
