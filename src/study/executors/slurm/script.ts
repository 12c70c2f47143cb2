/**
 * @file The batch script of an array of tasks: which task is whose, what a signal means, and when a task is given
 * back to Slurm to be run again.
 */

import { shellWord } from "../../../core/shell.ts";

/** One task of an array. */
export interface ArrayTask {
  readonly key: string;
  readonly attempt: number;
  /** Path of its file. */
  readonly task: string;
  /** Takes what the process prints. */
  readonly log: string;
  /** Where it records its epochs, a line each; need not be there. */
  readonly epochs: string;
}

export interface ScriptOptions {
  /** In the order of the array's indices. */
  readonly tasks: readonly ArrayTask[];
  /** `lrscope`, as words of a command. */
  readonly lrscope: readonly string[];
  /** Where the data, the network and the weights lie, as flags of `lrscope trial`. */
  readonly places: readonly string[];
  /** Folder for what the script notes. */
  readonly notes: string;
  /** Lines of the user's before it: modules, containers. */
  readonly setup: string;
}

/** So often a task's process may be killed within one epoch before the task counts as one that kills it. */
export const MOST_DEATHS = 3;

/** Names of what the script and the trial note of an attempt, below the folder for notes. */
export const endFile = ({ key, attempt }: Pick<ArrayTask, "key" | "attempt">): string =>
  `${key}.${attempt}.end.json`;

const words = (list: readonly string[]) => list.map(shellWord).join(" ");

/**
 * Slurm warns before a time limit by USR1; TERM ends the trial without a second run. A trial that was killed ends
 * with 75 at the latest, which is RequeueExit on many clusters, where `scontrol requeue` is not allowed.
 */
export const batchScript = ({ tasks, lrscope, places, notes, setup }: ScriptOptions): string =>
  `#!/bin/bash
tasks=(${words(tasks.map(({ task }) => task))})
attempts=(${tasks.map(({ attempt }) => attempt).join(" ")})
ends=(${words(tasks.map(endFile))})
logs=(${words(tasks.map(({ log }) => log))})
records=(${words(tasks.map(({ epochs }) => epochs))})
places=(${words(places)})
notes=${shellWord(notes)}
lrscope=(${words(lrscope)})
# Left to itself, glibc keeps ever larger buffers for the next checkpoint once one was freed.
export MALLOC_MMAP_THRESHOLD_="\${MALLOC_MMAP_THRESHOLD_:-131072}"

${setup}

i=$SLURM_ARRAY_TASK_ID
task=\${tasks[i]} end=$notes/\${ends[i]}
deaths=\${end%.end.json}.deaths
asked='' child=''
ask() {
  asked=$1
  echo "$1: ending after the update under way"
  [ -z "$child" ] || kill -TERM "$child" 2>/dev/null
}
trap 'ask limit' USR1
trap 'ask stop' TERM
again() {
  scontrol requeue "\${SLURM_ARRAY_JOB_ID}_$i" && sleep 30
  exit 75
}

rm -f "$end"
"\${lrscope[@]}" trial "$task" --attempt "\${attempts[i]}" --end "$end" "\${places[@]}" >>"\${logs[i]}" 2>&1 &
child=$!
# A signal that came before there was a process to tell.
[ -z "$asked" ] || kill -TERM "$child" 2>/dev/null
# A signal ends the first wait, not the process; bash remembers how that ended.
while wait "$child"; kill -0 "$child" 2>/dev/null; do :; done
wait "$child"
code=$?
if [ -f "$end" ]; then
  if [ "$asked" = limit ] && grep -q '"INTERRUPTED"' "$end"; then again; fi
  exit "$code"
fi
[ "$asked" != stop ] || exit "$code"
# No such command: that is so the next time, too.
[ "$code" -ne 126 ] && [ "$code" -ne 127 ] || exit "$code"
epochs=0
[ ! -f "\${records[i]}" ] || epochs=$(wc -l <"\${records[i]}")
echo "killed $epochs" >>"$deaths"
echo "its process ended with $code after epoch $epochs"
if [ "$(grep -cx "killed $epochs" "$deaths")" -lt ${MOST_DEATHS} ]; then again; fi
exit "$code"
`;
