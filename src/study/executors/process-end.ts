/** @file How a trial's process ended, in words: from its exit code, its signal, and the end of its log. */

import { readFileSync } from "node:fs";
import { CRASHES } from "../../files/child-end.ts";
import type { ProcessEnd, Task } from "../../record/index.ts";
import type { RunDirectory } from "../../store/index.ts";

/** Last lines of a log that a record keeps. */
const LOG_LINES = 20;

/** Said by V8 and Node themselves, and no help to anybody: source lines, stacks, addresses, collections. */
const NOISE =
  /^\s*(at |Node\.js v|\^|throw |\d+: 0x[0-9a-f]+|-{3,} |<--- |$)|\[\d+:0x[0-9a-f]+\] +\d+ ms: /;

/** As V8 says it, of every kind of memory that it manages: "Reached heap limit Allocation failed - JavaScript heap out of memory". */
const OUT_OF_MEMORY = /FATAL ERROR: .*(out of memory|Allocation failed)/i;
/** A collection: memory before, and after, in MiB. */
const COLLECTION = /\] +\d+ ms: [^\n]*? [\d.]+ \([\d.]+\) -> ([\d.]+) \([\d.]+\) MB/g;

/** The process, how it ended, and why where that can be told. */
export function describeEnd(end: Omit<ProcessEnd, "log">, log: string): string {
  if (OUT_OF_MEMORY.test(log)) {
    const reached = [...log.matchAll(COLLECTION)].at(-1)?.[1];
    const limit =
      reached === undefined ? "" : ` (heap limit about ${Math.ceil(Number(reached))} MiB)`;
    return `its process ran out of memory for JavaScript${limit}; give it more by NODE_OPTIONS=--max-old-space-size=MIB, or hold less in the network's file`;
  }
  const last = tailOf(log).at(-1);
  return `${endText(end)}${last === undefined ? "" : `; last in its log: ${last}`}`;
}

function endText({ exitCode, signal }: Omit<ProcessEnd, "log">): string {
  if (signal !== null)
    return `its process ${CRASHES.has(signal) ? "crashed" : "was killed"} (${signal})`;
  return exitCode === null
    ? "its process could not be started"
    : `its process ended with exit code ${exitCode}`;
}

/** Its last lines that say something. */
export const tailOf = (log: string): string[] =>
  log
    .split("\n")
    .filter((line) => !NOISE.test(line))
    .slice(-LOG_LINES);

/** "" where it cannot be read. */
export function textOfLog(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** File that takes what the task's process, and native code in it, prints. */
export const logOf = (task: Task, directory: RunDirectory): string =>
  task.kind === "trial"
    ? directory.trialFile(task.slug, task.seed, "log.txt")
    : directory.rangeTestLog(task.slug);
