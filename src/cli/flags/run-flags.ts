/** @file What is done with a study beside what it is: kept, shown, saved, gone on with. */

import { optional, toggle } from "./define-command.ts";
import { executorName, foreignFlags, jsonFile, oneOf, text, timeSpan } from "./values.ts";

/** Which weights of each run stay on the disk. */
export const keepFlag = {
  keep: optional({
    placeholder: "which",
    help: "weights that stay on the disk in the end: best, last or none; without the last, a run cannot be made longer",
    read: oneOf(["best", "last", "none"]),
    shownFallback: "the best and the last",
  }),
};

/** What is shown of a study that runs, and whether it does. */
export const showFlags = {
  dryRun: toggle(
    "open the data, time a few steps and say what would run, how long and what of disk and memory it would take; run nothing",
  ),
  quiet: toggle("print the result alone, and what went wrong"),
  verbose: toggle("print more of what goes on: plans, weights, checkpoints"),
  events: optional({
    placeholder: "file",
    help: 'write every event of the study to this file, a JSON object a line; "-": to stdout, all else to stderr',
    read: text,
    shownFallback: "none",
  }),
  live: toggle(
    "open the live page beside the study, and print its address; it closes with the study",
  ),
};

/** A study to be run later, by its file. */
export const saveFlag = {
  saveAs: optional({
    placeholder: "file",
    help: "write the study to this .json file, to be run by its name later, and run nothing",
    read: jsonFile,
  }),
};

/** @param more flags that give a recorded study more than it has */
export const resumeFlag = (what: string, more: string) => ({
  resume: optional({
    placeholder: "dir",
    help: `go on with the ${what} in this folder; all else is taken from there, but for ${more}, which may ask for more`,
    read: text,
    shownFallback: "begin a new one",
  }),
});

/** How a schedule that was made for fewer epochs goes on in more. */
export const prolongFlags = {
  stretch: toggle(
    "with --resume and --epochs: a schedule that depends on the length goes on at the rates of the same schedule stretched to the new one",
  ),
  continue: toggle("the same: it goes on as it is past its end, mostly at its last rate"),
};

/** Who runs the runs of a study, where it is not this machine. */
export const executorFlags = {
  executor: optional({
    placeholder: "where",
    help: "slurm: each run is a task of an array of jobs, on nodes that see the folder of the records. redis://HOST:6379: each waits there for a worker (lrscope worker), on any machine",
    read: executorName,
    shownFallback: "processes of this machine",
  }),
  slurmOptions: optional({
    placeholder: "options",
    help: 'options of sbatch: "--partition=main --time=4:00:00"',
    read: foreignFlags,
    shownFallback: "the cluster's own",
  }),
  slurmSetup: optional({
    placeholder: "lines",
    help: 'what bash does on the node before each run: "module load nodejs/20"',
    read: text,
    shownFallback: "nothing",
  }),
  lease: optional({
    placeholder: "time",
    help: "with redis://: without a sign of life for so long, a run goes on with another worker",
    read: timeSpan,
    shownFallback: "60s",
  }),
  address: optional({
    placeholder: "host[:port]",
    help: "with redis://: where workers reach this command",
    read: text,
    shownFallback: "the address by which it reaches Redis, and a port that is free",
  }),
  mixed: toggle(
    "with --executor: workers or nodes whose processor, engine or cores differ take runs, too; the report names them, and compares no seconds",
  ),
};
